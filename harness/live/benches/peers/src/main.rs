//! The crate noxious as a proxy: `noxious-peer LISTEN UPSTREAM`, no toxics, until it is killed.

use std::env;
use std::io;
use std::process::ExitCode;

use noxious::proxy::{ProxyConfig, ProxyRunner, Runner, Toxics};
use noxious::signal::{Close, Stop};
use noxious::socket::TcpListener;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [version] if version == "--version" => {
            println!("1.0.4");
            Ok(())
        }
        [listen, upstream] => run(listen, upstream),
        _ => Err(io::Error::other("noxious-peer LISTEN UPSTREAM")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(listen: &str, upstream: &str) -> io::Result<()> {
    let config = ProxyConfig {
        name: "bench".to_owned(),
        listen: listen.to_owned(),
        upstream: upstream.to_owned(),
        enabled: true,
        rand_seed: None,
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let (listener, info) = ProxyRunner::initialize_proxy::<TcpListener>(config, Toxics::empty()).await?;
        // All three have to live: the proxy stops when one of them goes.
        let (_events, receiver) = bmrng::channel(1);
        let (stop, _stopper) = Stop::new();
        let (_close, closer) = Close::new();
        ProxyRunner::run_proxy(listener, info, receiver, stop, closer).await
    })
}
