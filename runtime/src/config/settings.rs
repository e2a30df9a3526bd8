//! All settings of an instance but its exporters, which bring theirs.

use std::time::Duration;

use opentelemetry::KeyValue;

use super::batch::BatchSettings;
use super::exceptions::{EXCEPTIONS, ExceptionSignal};
use super::format::{Format, MILLISECONDS, SWITCH, TEXT, pairs, printable};
use super::limits::LimitSettings;
use super::pass::{NO_VARIABLE, Pass};
use super::privacy::PrivacySettings;
use super::propagator::{PROPAGATORS, Propagator};
use super::sourced::Sourced;
use crate::error::Error;
use crate::network::Hosts;
use crate::sampling::{Keep, Rule, Sampler, Tenants, check_rules, unreachable_rules};
use crate::semconv::{KnownMethods, Redaction};

/// All that a telemetry instance is told, beside its exporters. The default is what an empty environment gives.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Record and export nothing. Propagation goes on working.
    pub(crate) disabled: Sourced<bool>,
    /// The resource's `service.name`, where a variable names it alone.
    pub(crate) service_name: Sourced<Option<String>>,
    /// Attributes of the resource that a variable lists.
    pub(crate) resource: Sourced<Vec<(String, String)>>,
    /// Attributes of the resource in code, in the order given; of a repeated key the last counts.
    pub(crate) own_resource: Vec<KeyValue>,
    /// The head sampler.
    pub(crate) sampler: Sourced<Sampler>,
    /// What is done with some traces in place of what the sampler says, the first that matches.
    pub(crate) rules: Sourced<Vec<Rule>>,
    /// What is kept beside what the sampler keeps.
    pub(crate) keep: Sourced<Option<Keep>>,
    /// Who the tenants are, and what their tiers get.
    pub(crate) tenants: Sourced<Option<Tenants>>,
    /// When and how much is exported at once.
    pub(crate) batch: BatchSettings,
    /// What one span and one trace may hold.
    pub(crate) limits: LimitSettings,
    /// How values that are marked for it are protected.
    pub(crate) privacy: PrivacySettings,
    /// Attributes of the first span of each trace here, and of each SERVER span.
    pub(crate) tags: Sourced<Vec<KeyValue>>,
    /// How long a shutdown may take.
    pub(crate) shutdown_timeout: Sourced<Duration>,
    /// The formats of context, in the order in which they are read.
    pub(crate) propagators: Sourced<Vec<Propagator>>,
    /// The hosts that baggage is sent to, beside one's own.
    pub(crate) baggage_to: Sourced<Hosts>,
    /// How errors are recorded.
    pub(crate) exceptions: Sourced<ExceptionSignal>,
    /// The methods that spans are named after.
    pub(crate) known_methods: Sourced<KnownMethods>,
    /// The parameters whose values are redacted in the queries of URLs.
    pub(crate) redact_query: Sourced<Redaction>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            disabled: Sourced::default(),
            service_name: Sourced::default(),
            resource: Sourced::default(),
            own_resource: Vec::new(),
            sampler: Sourced::default(),
            rules: Sourced::default(),
            keep: Sourced::default(),
            tenants: Sourced::default(),
            batch: BatchSettings::default(),
            limits: LimitSettings::default(),
            privacy: PrivacySettings::default(),
            tags: Sourced::default(),
            shutdown_timeout: Sourced::new(Duration::from_secs(10)),
            propagators: Sourced::new(Propagator::DEFAULT.to_vec()),
            baggage_to: Sourced::default(),
            exceptions: Sourced::default(),
            known_methods: Sourced::new(KnownMethods::DEFAULT),
            redact_query: Sourced::default(),
        }
    }
}

const RESOURCE_ATTRIBUTES: Format<Vec<(String, String)>> = Format {
    parse: |value, refused| {
        let refuse = |(number, member): (usize, &str)| {
            let key = member
                .split_once('=')
                .map_or("", |(key, _)| printable(key.trim()));
            refused.add_secret(&format!(
                "a comma-separated list of percent-encoded key=value pairs, see its member {number}, {key:?}"
            ));
        };
        pairs(value).map_err(refuse).ok()
    },
    shown: |_| None,
    written: |_| "none of them".to_owned(),
};

const KEEP: Format<Option<Keep>> = Format {
    parse: |value, refused| {
        const EXPECTED: &str = "a list of errors and slow=500ms, with commas, or none";
        refused.or_add(Keep::parse(value).map(Some), value, EXPECTED)
    },
    shown: |keep| keep.as_ref().map(Keep::to_string),
    written: |keep| keep.as_ref().map_or("nothing".to_owned(), Keep::to_string),
};

const RULES: Format<Vec<Rule>> = Format::of_code(|rules| {
    let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
    (!rules.is_empty()).then(|| rules.join("; "))
});

const TENANTS: Format<Option<Tenants>> =
    Format::of_code(|tenants| tenants.as_ref().map(Tenants::to_string));

const KNOWN_METHODS: Format<KnownMethods> = Format {
    parse: |value, refused| {
        let expected = "a comma-separated list of methods, for example GET,POST";
        refused.or_add(KnownMethods::listed(value), value, expected)
    },
    shown: |methods| Some(methods.to_string()),
    written: KnownMethods::to_string,
};

const HOSTS: Format<Hosts> = Format {
    parse: |value, refused| {
        const EXPECTED: &str = "a comma-separated list of hosts, for example \
            *.partner.example,api.example.com,10.0.0.0/8, or * for all";
        let (mut hosts, mut all) = (Hosts::default(), 0);
        for host in value.split(',').map(str::trim) {
            match hosts.add(host) {
                true => all += 1,
                false => refused.add(host, EXPECTED),
            }
        }
        (all > 0).then_some(hosts)
    },
    shown: |hosts| Some(hosts.to_string()).filter(|hosts| !hosts.is_empty()),
    written: |_| "none of them".to_owned(),
};

const REDACT_QUERY: Format<Redaction> = Format {
    parse: |value, refused| {
        let expected = "a comma-separated list of parameters, for example pin,!key";
        refused.or_add(Redaction::listed(value), value, expected)
    },
    shown: |redaction| Some(redaction.to_string()),
    written: Redaction::to_string,
};

const TAGS: Format<Vec<KeyValue>> = Format::of_code(|tags| {
    let keys: Vec<_> = tags.iter().map(|tag| tag.key.as_str()).collect();
    (!keys.is_empty()).then(|| keys.join(","))
});

impl Settings {
    /// Whether nothing is recorded and exported.
    pub(crate) fn visit_switch(&mut self, pass: &mut Pass<'_>) {
        let variable = ["OTEL_SDK_DISABLED"];
        pass.setting("disabled", &variable, &SWITCH, &mut self.disabled);
    }

    /// What the resource is made of: its attributes are described as they are merged.
    pub(crate) fn visit_resource(&mut self, pass: &mut Pass<'_>) {
        let variable = ["OTEL_SERVICE_NAME"];
        pass.setting("service_name", &variable, &TEXT, &mut self.service_name);
        pass.setting(
            "resource",
            &["OTEL_RESOURCE_ATTRIBUTES"],
            &RESOURCE_ATTRIBUTES,
            &mut self.resource,
        );
    }

    /// All others but the sampler and the formats of context, which stand beside those of others.
    pub(crate) fn visit(&mut self, pass: &mut Pass<'_>) {
        self.batch.visit(pass);
        self.limits.visit(pass);
        self.privacy.visit(pass);
        pass.setting("tags", &NO_VARIABLE, &TAGS, &mut self.tags);
        pass.setting(
            "shutdown_timeout",
            &NO_VARIABLE,
            &MILLISECONDS,
            &mut self.shutdown_timeout,
        );
        pass.setting(
            "propagators",
            &["OTEL_PROPAGATORS"],
            &PROPAGATORS,
            &mut self.propagators,
        );
        pass.setting(
            "baggage_to",
            &["BIZTRACE_BAGGAGE_TO"],
            &HOSTS,
            &mut self.baggage_to,
        );
        pass.setting(
            "exceptions",
            &["OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"],
            &EXCEPTIONS,
            &mut self.exceptions,
        );
        pass.setting(
            "known_methods",
            &["OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"],
            &KNOWN_METHODS,
            &mut self.known_methods,
        );
        pass.setting("rule", &NO_VARIABLE, &RULES, &mut self.rules);
        pass.setting("keep", &["BIZTRACE_KEEP"], &KEEP, &mut self.keep);
        pass.setting("tenants", &NO_VARIABLE, &TENANTS, &mut self.tenants);
        pass.setting(
            "redact_query",
            &["BIZTRACE_REDACT_QUERY"],
            &REDACT_QUERY,
            &mut self.redact_query,
        );
    }

    /// Refuses what cannot work, and settles what depends on one another.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        self.batch.settle()?;
        self.privacy.settle()?;
        if self
            .tags
            .value
            .iter()
            .any(|tag| tag.key.as_str().is_empty())
        {
            return Err(Error::UnnamedTag);
        }
        self.settle_tenants()?;
        self.settle_keep()?;
        self.settle_rules()?;
        self.sampler.value.check()
    }

    fn settle_tenants(&mut self) -> Result<(), Error> {
        let Sourced { value, origin } = &mut self.tenants;
        let Some(tenants) = value else { return Ok(()) };
        tenants.settle(|problem| origin.warn("tenants", problem))
    }

    /// What is kept beside what the sampler, the rules and the tiers keep: errors, if nothing is set and one of those keeps a share.
    fn settle_keep(&mut self) -> Result<(), Error> {
        let sampler = &self.sampler.value;
        let tenants = self.tenants.value.as_ref();
        let thins = self.rules.value.iter().any(Rule::thins) || tenants.is_some_and(Tenants::thins);
        let Sourced { value, origin } = &mut self.keep;
        match value {
            Some(keep) => {
                if keep.forgets_errors() {
                    let problem = format!(
                        "={keep} does not include errors: the sampler alone decides on failed traces. Add `errors`, or start from `Keep::errors`"
                    );
                    origin.warn("keep", problem);
                }
                if sampler.keeps_all() && !thins && keep.only_adds() {
                    let problem = format!(
                        "={keep} has nothing left to keep: the sampler {sampler} keeps every trace. Remove it, or choose a sampler that keeps a share"
                    );
                    origin.warn("keep", problem);
                }
                keep.check()
            }
            None => {
                *value = (thins || sampler.keeps_errors()).then(Keep::errors);
                Ok(())
            }
        }
    }

    fn settle_rules(&mut self) -> Result<(), Error> {
        let Sourced { value, origin } = &mut self.rules;
        for (rule, earlier) in unreachable_rules(value) {
            let problem = format!(
                " \"{rule}\" never matches: \"{earlier}\" stands before it, and matches as much. Put the narrower rule first"
            );
            origin.warn("rule", problem);
        }
        let tests = self.keep.value.as_ref().map_or(0, Keep::tests);
        check_rules(value, tests)
    }
}
