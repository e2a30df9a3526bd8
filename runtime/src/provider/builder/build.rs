//! What a builder does: its settings over those of the environment make an instance.

use std::io::{self, IsTerminal};

use opentelemetry_sdk::Resource;

use super::Builder;
use crate::attribute::{HashKey, PiiPolicy};
use crate::config::{
    self, Batch, Environment, Exporter, JaegerRemote, Otlp, Sampler, Settings, Warning, Zipkin,
};
use crate::diag;
use crate::error::Error;
use crate::propagation::Propagators;
use crate::provider::description::{Describe, Description};
use crate::provider::{Telemetry, resource};
use crate::recorder::Mode;

impl Builder {
    /// Over the process's environment. The caller has all said that comes of it, since a process may end by an error.
    pub(super) fn build_here(self) -> Result<Telemetry, Error> {
        self.build_over(config::from_env(&|name| std::env::var_os(name)))
    }

    pub(in crate::provider) fn build_over(
        mut self,
        environment: Environment,
    ) -> Result<Telemetry, Error> {
        let mut span_exporters = std::mem::take(&mut self.span_exporters);
        let settings = self.over(environment.settings.clone());
        let mut settings = settings.inspect_err(|_| say(&environment.warnings))?;
        if !span_exporters.is_empty() && self.exporters.is_empty() {
            settings.exporters = Some(Vec::new());
        }
        let mode = if settings.disabled {
            settings.exporters = Some(Vec::new());
            span_exporters.clear();
            Mode::Disabled
        } else {
            let exporters = settings
                .exporters
                .get_or_insert_with(|| vec![choose(&settings.otlp)]);
            if exporters.is_empty() && span_exporters.is_empty() {
                Mode::Propagate
            } else {
                Mode::Record
            }
        };
        let resource = resource::resource(&settings, &self.resource);
        let names: Vec<_> = span_exporters.iter().map(|it| it.name).collect();
        let (description, warnings) = self.describe(&settings, &names, &resource, &environment);
        say(&warnings);
        let propagators = self.propagators_over(&settings);
        Telemetry::start(
            mode,
            settings,
            span_exporters,
            propagators,
            resource,
            description,
        )
    }

    /// What is active, and the warnings that still matter.
    pub(in crate::provider) fn describe(
        &self,
        settings: &Settings,
        span_exporters: &[&str],
        resource: &Resource,
        environment: &Environment,
    ) -> (Description, Vec<Warning>) {
        let mut describe = Describe::new(environment);
        if settings.disabled {
            describe.setting("disabled", true, false, &["OTEL_SDK_DISABLED"]);
        }
        describe.resource(resource, &self.resource);
        let exporters = settings.exporters.iter().flatten().enumerate();
        for (i, exporter) in exporters {
            describe.exporter(exporter, self.exporters.get(i));
        }
        for name in span_exporters {
            describe.setting("exporter", name, true, &["OTEL_TRACES_EXPORTER"]);
        }
        if settings.exporters.iter().flatten().count() + span_exporters.len() == 0 {
            let variable = if settings.disabled {
                "OTEL_SDK_DISABLED"
            } else {
                "OTEL_TRACES_EXPORTER"
            };
            describe.setting("exporter", "none", false, &[variable]);
        } else if self.exporters.is_empty() && span_exporters.is_empty() {
            // Of an endpoint that no exporter is named for.
            describe.count(&["OTEL_EXPORTER_ZIPKIN_ENDPOINT"]);
        }
        describe.setting(
            "sampler",
            &settings.sampler,
            self.sampler.is_some(),
            &["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"],
        );
        let asked = environment.settings.batch.max_export_batch_size;
        let asked = self.max_export_batch_size.unwrap_or(asked);
        describe.batch(&settings.batch, asked, |name| match name {
            "schedule_delay" => self.schedule_delay.is_some(),
            "export_timeout" => self.export_timeout.is_some(),
            "max_queue_size" => self.max_queue_size.is_some(),
            _ => self.max_export_batch_size.is_some(),
        });
        describe.limits(&settings.limits);
        describe.privacy(settings, self.hash_key.is_some(), self.pii.is_some());
        if !settings.tags.is_empty() {
            let keys: Vec<_> = settings.tags.iter().map(|tag| tag.key.as_str()).collect();
            describe.setting("tags", keys.join(","), true, &[]);
        }
        let timeout = format!("{:?}", settings.shutdown_timeout);
        describe.setting(
            "shutdown_timeout",
            timeout,
            self.shutdown_timeout.is_some(),
            &[],
        );
        let propagators = settings.propagators.iter().map(ToString::to_string);
        let foreign = self.foreign_propagators.iter().map(|it| format!("{it:?}"));
        let mut names: Vec<_> = propagators.chain(foreign).collect();
        if names.is_empty() {
            names.push("none".into());
        }
        let in_code = self.propagators.is_some() || !self.foreign_propagators.is_empty();
        describe.setting(
            "propagators",
            names.join(","),
            in_code,
            &["OTEL_PROPAGATORS"],
        );
        describe.setting(
            "exceptions",
            settings.exceptions,
            self.exceptions.is_some(),
            &["OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"],
        );
        describe.setting(
            "known_methods",
            &settings.known_methods,
            false,
            &["OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"],
        );
        describe.finish(settings.disabled)
    }

    /// The formats of context that `settings` name, with those of others.
    pub(crate) fn propagators_over(self, settings: &Settings) -> Propagators {
        Propagators::new(settings.propagators.clone(), self.foreign_propagators)
    }

    /// These settings over those of the environment.
    pub(crate) fn over(&self, mut settings: Settings) -> Result<Settings, Error> {
        fn set<T>(to: &mut T, from: Option<T>) {
            if let Some(value) = from {
                *to = value;
            }
        }
        let Batch {
            schedule_delay,
            export_timeout,
            max_queue_size,
            max_export_batch_size,
        } = &mut settings.batch;
        set(schedule_delay, self.schedule_delay);
        set(export_timeout, self.export_timeout);
        set(max_queue_size, self.max_queue_size);
        set(max_export_batch_size, self.max_export_batch_size);
        let zeros = [
            (schedule_delay.is_zero(), "Builder::schedule_delay"),
            (export_timeout.is_zero(), "Builder::export_timeout"),
            (*max_queue_size == 0, "Builder::max_queue_size"),
            (
                *max_export_batch_size == 0,
                "Builder::max_export_batch_size",
            ),
            (self.exporters.iter().any(has_no_time), "Otlp::timeout"),
        ];
        if let Some((_, name)) = zeros.into_iter().find(|(is_zero, _)| *is_zero) {
            return Err(Error::Zero(name));
        }
        *max_export_batch_size = (*max_export_batch_size).min(*max_queue_size);

        set(&mut settings.shutdown_timeout, self.shutdown_timeout);
        set(&mut settings.propagators, self.propagators.clone());
        set(&mut settings.exceptions, self.exceptions);
        set(&mut settings.sampler, self.sampler.clone());
        for change in &self.limits {
            change(&mut settings.limits);
        }
        set(&mut settings.privacy.pii, self.pii);
        if let Some(key) = &self.hash_key {
            let key = HashKey::new(key).ok_or(Error::HashKey(key.len()))?;
            settings.privacy.hash_key = Some(key);
        }
        if settings.privacy.pii == PiiPolicy::Hash && settings.privacy.hash_key.is_none() {
            if self.pii.is_some() {
                return Err(Error::NoHashKey);
            }
            diag::warn(format_args!(
                "BIZTRACE_PII=hash needs a key: set BIZTRACE_HASH_KEY; until then such values are left out"
            ));
        }
        if self.tags.iter().any(|tag| tag.key.as_str().is_empty()) {
            return Err(Error::UnnamedTag);
        }
        settings.tags = self.tags.clone();
        if !self.exporters.is_empty() {
            let over = |exporter| match exporter {
                Exporter::Otlp(otlp) => Exporter::Otlp(otlp.over(&settings.otlp)),
                Exporter::Zipkin(zipkin) => Exporter::Zipkin(Zipkin {
                    timeout: settings.zipkin.timeout,
                    ..zipkin
                }),
                other => other,
            };
            settings.exporters = Some(self.exporters.iter().cloned().map(over).collect());
        }
        check(&settings.sampler)?;
        Ok(settings)
    }
}

fn say<'a>(warnings: impl IntoIterator<Item = &'a Warning>) {
    for warning in warnings {
        diag::warn(format_args!("{warning}"));
    }
}

fn has_no_time(exporter: &Exporter) -> bool {
    matches!(exporter, Exporter::Otlp(otlp) if otlp.request_timeout().is_zero())
}

fn check(sampler: &Sampler) -> Result<(), Error> {
    match sampler {
        Sampler::TraceIdRatio(ratio)
        | Sampler::JaegerRemote(JaegerRemote {
            initial_rate: ratio,
            ..
        }) if !(0.0..=1.0).contains(ratio) => Err(Error::Ratio(*ratio)),
        Sampler::ParentBased(root) => check(root),
        Sampler::JaegerRemote(remote) if remote.polling_interval.is_zero() => {
            Err(Error::Zero("JaegerRemote::polling_interval"))
        }
        _ => Ok(()),
    }
}

/// Where nobody says where traces should go: to the person in front of a terminal, else where the specification says.
fn choose(otlp: &Otlp) -> Exporter {
    if !io::stderr().is_terminal() {
        return Exporter::Otlp(otlp.clone());
    }
    diag::to_stderr(format_args!(
        "traces are shown here; set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 to send them to a receiver instead \
         (OTEL_TRACES_EXPORTER=none for neither)"
    ));
    Exporter::Console
}
