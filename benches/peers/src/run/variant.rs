use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

use super::scenario::Scenario;
use crate::child::this_binary;

/// One of the services that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Variant {
    /// actix-web without tracing
    Bare,
    /// actix-web with a middleware that does nothing
    Noop,
    Biztrace,
    Opentelemetry,
    Tracing,
    Fastrace,
    /// Gin without tracing
    Gin,
    Otelgin,
}

impl Variant {
    /// The others that do biztrace's work on actix-web.
    pub(crate) const PEERS: [Self; 3] = [Self::Opentelemetry, Self::Tracing, Self::Fastrace];

    /// Those of them that have a sampler. fastrace has none: a request that is not recorded there has no span at all.
    pub(crate) const WITH_SAMPLER: [Self; 2] = [Self::Opentelemetry, Self::Tracing];

    /// Its name, as on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Noop => "noop",
            Self::Biztrace => "biztrace",
            Self::Opentelemetry => "opentelemetry",
            Self::Tracing => "tracing",
            Self::Fastrace => "fastrace",
            Self::Gin => "gin",
            Self::Otelgin => "otelgin",
        }
    }

    /// The same service without tracing, if this one traces.
    pub(crate) fn baseline(self) -> Option<Self> {
        match self {
            Self::Bare | Self::Noop | Self::Gin => None,
            Self::Biztrace | Self::Opentelemetry | Self::Tracing | Self::Fastrace => {
                Some(Self::Noop)
            }
            Self::Otelgin => Some(Self::Gin),
        }
    }

    /// Whether it is written in Go.
    pub(crate) fn is_go(self) -> bool {
        matches!(self, Self::Gin | Self::Otelgin)
    }

    /// Spans that the requests make, two each; `None` if that is left to chance.
    pub(crate) fn expected_spans(self, scenario: Scenario, requests: u64) -> Option<u64> {
        if self.baseline().is_none() || scenario.ratio() == 0.0 {
            Some(0)
        } else {
            (scenario.ratio() == 1.0).then_some(2 * requests)
        }
    }

    /// What starts the service.
    pub(crate) fn command(self, scenario: Scenario, sink: &str, gin: &Path) -> Result<Command> {
        let mut command = if self.is_go() {
            Command::new(gin)
        } else {
            this_binary("serve")?
        };
        command
            .args([self.name(), "--sink", sink])
            .args(["--ratio", &scenario.ratio().to_string()])
            .args(["--workers", &scenario.workers().to_string()])
            .envs(scenario.environment());
        if !self.is_go() {
            command.args(["--protocol", scenario.protocol().name()]);
        }
        Ok(command)
    }
}
