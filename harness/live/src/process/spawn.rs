//! Starts processes, all of them from one thread that lives as long as this process does.
//!
//! A server of ours asks the system to be killed when its parent ends, and Linux takes the *thread* that started it
//! for its parent. Started from a thread of a runtime's pool, a server would be killed when the pool lets that thread
//! go.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{OnceLock, mpsc};
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

const QUEUE: usize = 64;

struct Order {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// Starts a process. If the caller has stopped waiting, the process is dropped again, which kills it if the command
/// says so.
pub(crate) async fn spawn(command: Command) -> io::Result<Child> {
    let (answer, started) = oneshot::channel();
    let order = Order { command, runtime: Handle::current(), answer };
    let gone = || io::Error::other("the thread that starts processes is gone");
    // The queue is far longer than there are servers at a time, so that sending never blocks a runtime's thread for
    // long.
    spawner()?.send(order).map_err(|_| gone())?;
    started.await.map_err(|_| gone())?
}

/// The way to the thread. It is never dropped, so that the thread never ends by itself.
fn spawner() -> io::Result<&'static mpsc::SyncSender<Order>> {
    static SPAWNER: OnceLock<Result<mpsc::SyncSender<Order>, String>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = mpsc::sync_channel(QUEUE);
        let started =
            thread::Builder::new().name("spawner".to_owned()).spawn(move || orders.into_iter().for_each(carry_out));
        started.map(|_| sender).map_err(|error| error.to_string())
    });
    spawner.as_ref().map_err(|error| io::Error::other(error.clone()))
}

fn carry_out(order: Order) {
    let Order { mut command, runtime, answer } = order;
    let _within = runtime.enter();
    // A runtime that is shutting down panics here; the thread, and with it every server, must outlive that.
    let started = catch_unwind(AssertUnwindSafe(|| command.spawn()));
    let started = started.unwrap_or_else(|_| Err(io::Error::other("the runtime is shutting down")));
    let _ = answer.send(started);
}
