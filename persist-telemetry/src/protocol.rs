//! How OTLP is spoken: by HTTP, or by gRPC, whose connections have a thread of their own.

use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use tokio::runtime::{Builder, Runtime};

use crate::Variables;
use crate::variables::OTLP_PROTOCOL;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    /// What the variables name, or what is wrong with them; `own` is the variable of traces or metrics
    /// alone.
    pub(crate) fn read(variables: &Variables, own: &str) -> Result<Self, String> {
        match [own, OTLP_PROTOCOL].iter().find_map(|name| variables.get(name)) {
            None | Some("http/protobuf") => Ok(Self::Http),
            Some("grpc") => Ok(Self::Grpc),
            Some(other) => Err(format!(
                "the protocol {other:?} is not built in; set {OTLP_PROTOCOL} to http/protobuf or grpc"
            )),
        }
    }
}

/// What moves the bytes of gRPC.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).thread_name("persist-otlp").enable_all().build()
}

/// Servers are known by the certificates that browsers know.
pub(crate) fn tls() -> ClientTlsConfig {
    ClientTlsConfig::new().with_enabled_roots()
}
