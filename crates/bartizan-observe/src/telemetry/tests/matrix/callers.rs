//! Where the application calls from.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Once, mpsc};

use tokio::runtime::{Builder, Runtime};

use super::{Case, Outcome};

/// Where telemetry is built, used and ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caller {
    /// A plain thread.
    NoRuntime,
    /// A task on tokio's current-thread runtime, which is blocked by it.
    CurrentThread,
    /// A task on one of so many workers, which is blocked by it.
    Workers(usize),
    /// The future that tokio's multi-threaded runtime was entered with.
    Main,
    /// A task on smol's executor, which is blocked by it.
    Smol,
    /// The panic hook, in a task on the runtime's only thread.
    PanicHook,
    /// A task that awaits the end on a runtime of one thread.
    Awaiting,
    /// The same on smol.
    AwaitingOnSmol,
}

pub(super) const CALLERS: [Caller; 10] = [
    Caller::NoRuntime,
    Caller::CurrentThread,
    Caller::Workers(1),
    Caller::Workers(2),
    Caller::Workers(4),
    Caller::Main,
    Caller::Smol,
    Caller::PanicHook,
    Caller::Awaiting,
    Caller::AwaitingOnSmol,
];

impl Caller {
    pub(super) fn run(self, case: Case) -> Outcome {
        let work = move || case.begin().shutdown();
        match self {
            Self::NoRuntime => work(),
            Self::CurrentThread => in_task(&current_thread(), async move { work() }),
            Self::Workers(count) => in_task(&workers(count), async move { work() }),
            Self::Main => workers(2).block_on(async { work() }),
            Self::Smol => smol::block_on(smol::spawn(async move { work() })),
            Self::PanicHook => in_task(&current_thread(), async move { in_panic_hook(work) }),
            Self::Awaiting => in_task(&current_thread(), async move {
                case.begin().shutdown_async().await
            }),
            Self::AwaitingOnSmol => {
                smol::block_on(smol::spawn(
                    async move { case.begin().shutdown_async().await },
                ))
            }
        }
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn workers(count: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(count).build().unwrap()
}

fn in_task<T: Send + 'static>(
    runtime: &Runtime,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    runtime.block_on(async { tokio::spawn(work).await.unwrap() })
}

thread_local! {
    /// What the hook does when this thread panics.
    static AT_PANIC: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Panics, and runs `work` in the hook.
pub(in crate::telemetry::tests) fn in_panic_hook<T: Send + 'static>(
    work: impl FnOnce() -> T + 'static,
) -> T {
    // There is one hook for the process, and other tests panic, too.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| match AT_PANIC.take() {
            Some(work) => work(),
            None => usual(panic),
        }));
    });
    let (tell, told) = mpsc::channel();
    AT_PANIC.set(Some(Box::new(move || tell.send(work()).unwrap())));
    let panicked = panic::catch_unwind(AssertUnwindSafe(|| panic!("on purpose")));
    assert!(panicked.is_err());
    told.recv().unwrap()
}
