//! What a scope carries, and that it leaves nothing behind.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as PollContext, Poll, Waker};
use std::time::{Duration, Instant};

use bartizan_task::{RequestId, Scope, Task, TaskId};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};

fn current_id() -> Option<TaskId> {
    Task::with_current(|task| task.map(Task::id))
}

fn context(trace: u128) -> Context {
    let (trace, span) = (TraceId::from(trace), SpanId::from(7));
    let sc = SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE);
    Context::new()
        .with_remote_span_context(sc)
        .with_baggage([KeyValue::new("tenant", "acme")])
}

fn current_trace() -> TraceId {
    Context::map_current(|cx| cx.span().span_context().trace_id())
}

#[test]
fn a_child_belongs_to_its_parents_tree_and_request() {
    let id = RequestId::try_from_bytes(b"order-7").unwrap();
    let root = Task::root("request", Some(id.clone()));
    let grandchild = root.child("audit").child("write");
    assert_eq!(grandchild.root_id(), root.id());
    assert_ne!(grandchild.parent_id(), Some(root.id()));
    assert_eq!(grandchild.request_id(), Some(&id));
    assert_eq!(root.parent_id(), None);
}

#[test]
fn the_earliest_deadline_holds_for_the_whole_tree() {
    let root = Task::root("request", None);
    let child = root.child("audit");
    assert_eq!(child.deadline(), None);
    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    let soon = Instant::now() + Duration::from_secs(1);
    let later = soon + Duration::from_secs(1);
    child.set_deadline(later);
    assert_eq!(
        (root.deadline(), child.deadline()),
        (Some(later), Some(later))
    );
    root.set_deadline(soon);
    root.set_deadline(later);
    assert_eq!(child.child("write").deadline(), Some(soon));
    assert_eq!(Task::root("other", None).deadline(), None);
}

#[test]
fn attaching_nests_and_unwinds_in_order() {
    assert_eq!(current_id(), None);
    let (outer, inner) = (Task::root("outer", None), Task::root("inner", None));
    let outer_guard = outer.attach();
    {
        let _inner = inner.attach();
        assert_eq!(current_id(), Some(inner.id()));
    }
    assert_eq!(current_id(), Some(outer.id()));
    drop(outer_guard);
    assert_eq!(current_id(), None);
}

#[test]
fn a_scope_takes_task_span_and_baggage_to_another_thread() {
    let task = Task::root("request", None);
    let scope = Scope::new(Some(task.clone()), context(42));
    let seen = std::thread::spawn(move || {
        let seen = scope.run(|| {
            let tenant = Context::map_current(|cx| cx.baggage().get("tenant").cloned());
            (current_id(), current_trace(), tenant)
        });
        assert_eq!(
            (current_id(), current_trace()),
            (None, TraceId::INVALID),
            "left behind"
        );
        seen
    })
    .join()
    .unwrap();
    assert_eq!(
        seen,
        (Some(task.id()), TraceId::from(42), Some("acme".into()))
    );
}

#[tokio::test]
async fn interleaved_futures_of_one_thread_keep_their_own_scopes() {
    let run = |trace: u128| {
        let task = Task::root("request", None);
        let id = task.id();
        let scope = Scope::new(Some(task), context(trace));
        tokio::spawn(scope.wrap(async move {
            for _ in 0..10 {
                assert_eq!(current_id(), Some(id));
                assert_eq!(current_trace(), TraceId::from(trace));
                tokio::task::yield_now().await;
            }
        }))
    };
    for task in [run(1), run(2), run(3)] {
        task.await.unwrap();
    }
    assert_eq!(current_id(), None);
}

#[test]
fn a_dropped_future_runs_its_destructors_in_its_scope() {
    struct Witness(Rc<RefCell<Option<TaskId>>>);
    impl Drop for Witness {
        fn drop(&mut self) {
            *self.0.borrow_mut() = current_id();
        }
    }
    let task = Task::root("request", None);
    let seen = Rc::new(RefCell::new(None));
    let witness = Witness(Rc::clone(&seen));
    let future = Scope::new(Some(task.clone()), Context::new()).wrap(async move {
        let _witness = witness;
        pending::<()>().await;
    });
    {
        let mut future = pin!(future);
        let mut cx = PollContext::from_waker(Waker::noop());
        assert_eq!(future.as_mut().poll(&mut cx), Poll::Pending);
        assert_eq!(current_id(), None);
    }
    assert_eq!(*seen.borrow(), Some(task.id()));
}

#[test]
fn a_panic_leaves_no_scope_behind() {
    let scope = Scope::new(Some(Task::root("request", None)), context(42));
    let result = catch_unwind(AssertUnwindSafe(|| scope.run(|| panic!("on purpose"))));
    assert!(result.is_err());
    assert_eq!((current_id(), current_trace()), (None, TraceId::INVALID));
}

#[test]
fn a_child_scope_without_a_task_starts_a_tree() {
    let scope = Scope::default().child("cron");
    let task = scope.task().unwrap();
    assert_eq!((task.parent_id(), task.name()), (None, "cron"));
}
