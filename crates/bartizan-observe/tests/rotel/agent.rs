use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use bartizan_observe::telemetry::OtlpProtocol;

/// A collector that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Agent {
    child: Child,
    grpc: SocketAddr,
    http: SocketAddr,
}

impl Agent {
    /// Passes all on to an OTLP/gRPC endpoint, without waiting for it to fill a batch.
    pub(super) fn start(program: &OsStr, to: &str) -> Self {
        let [grpc, http] = free_ports();
        let child = Command::new(program)
            // Neither its settings nor a proxy's may come from whoever runs the test.
            .env_clear()
            .arg("start")
            .args(["--otlp-grpc-endpoint", &grpc.to_string()])
            .args(["--otlp-http-endpoint", &http.to_string()])
            .args(["--exporter", "otlp", "--otlp-exporter-protocol", "grpc"])
            .args(["--otlp-exporter-endpoint", to])
            .args(["--batch-timeout", "20ms"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { child, grpc, http }
    }

    pub(super) fn endpoint(&self, protocol: OtlpProtocol) -> String {
        let addr = match protocol {
            OtlpProtocol::Grpc => self.grpc,
            _ => self.http,
        };
        format!("http://{addr}")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// It cannot be asked which ports it has got, so it is given some that are free now.
fn free_ports() -> [SocketAddr; 2] {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let held = [any, any].map(|any| TcpListener::bind(any).unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}
