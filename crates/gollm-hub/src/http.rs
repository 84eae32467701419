//! HTTP connections: with and without a proxy, their timeouts, and interrupting them from another
//! thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;

use crate::address::Address;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::settings::Settings;

/// Connections, by way of a proxy or not.
#[derive(Debug)]
pub(crate) struct Agents {
    /// As the environment says: `HTTPS_PROXY` and its kin.
    proxied: Agent,
    /// For this machine itself, which no proxy can reach for us.
    direct: Agent,
    interrupted: Arc<AtomicBool>,
}

/// Ends a pull from another thread.
#[derive(Debug, Clone)]
pub struct Interrupter {
    agents: [Agent; 2],
    interrupted: Arc<AtomicBool>,
}

impl Interrupter {
    /// Closes the connections; the pull ends with [`Error::Interrupted`].
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        for agent in &self.agents {
            agent.clone().shutdown();
        }
    }
}

impl Agents {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let tls = tls(settings)?;
        let agent = |config: ConfigBuilder<AgentScope>| {
            let limits = &settings.limits;
            let config = config
                .tls_config(tls.clone())
                .http_status_as_error(false)
                .max_redirects(0)
                .user_agent(concat!("gollm/", env!("CARGO_PKG_VERSION")))
                .accept_encoding("identity")
                .max_response_header_size(Limits::MAX_HEAD)
                .timeout_resolve(Some(limits.connect))
                .timeout_connect(Some(limits.connect))
                .timeout_send_request(Some(limits.answer))
                .timeout_recv_response(Some(limits.answer))
                .timeout_per_read(Some(limits.stall));
            Agent::new_with_config(config.build())
        };
        Ok(Self {
            proxied: agent(Agent::config_builder()),
            direct: agent(Agent::config_builder().proxy(None)),
            interrupted: Arc::default(),
        })
    }

    pub(crate) fn agent_for(&self, address: &Address) -> &Agent {
        if address.is_loopback() {
            &self.direct
        } else {
            &self.proxied
        }
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        Interrupter {
            agents: [self.proxied.clone(), self.direct.clone()],
            interrupted: Arc::clone(&self.interrupted),
        }
    }

    /// An error if someone interrupted.
    pub(crate) fn check_interrupted(&self) -> Result<()> {
        if self.interrupted.load(Ordering::SeqCst) {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }
}

fn tls(settings: &Settings) -> Result<TlsConfig> {
    let Some(pem) = &settings.certificates else {
        return Ok(TlsConfig::default());
    };
    let certificates = parse_pem(pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    if certificates.is_empty() {
        return Err(Error::Setting {
            name: "SSL_CERT_FILE",
            problem: "expected certificates in PEM, found none".to_owned(),
        });
    }
    let roots = RootCerts::Specific(Arc::new(certificates));
    Ok(TlsConfig::builder().root_certs(roots).build())
}
