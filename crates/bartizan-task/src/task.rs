use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::{RequestId, TaskId};

/// One unit of work: a request, or something that was started for it.
///
/// A handle: clones are the same task. Costs one allocation, and none to clone.
#[derive(Clone)]
pub struct Task(Arc<Node<dyn Any + Send + Sync>>);

/// A [`Task`] together with the typed data that its creator keeps beside it, in one allocation.
///
/// The request layer keeps its record of the request this way; others see only the [`Task`].
pub struct TaskRef<T>(Arc<Node<T>>);

struct Node<T: ?Sized> {
    id: TaskId,
    /// `None` for a root.
    parent: Option<TaskId>,
    /// `None` for a root. A handle rather than an id, so that what the root keeps for the whole
    /// tree can be asked for from anywhere in it.
    root: Option<Task>,
    name: Cow<'static, str>,
    /// Set on the root and copied to every descendant, so that a line can be attributed without a
    /// walk up the tree.
    request_id: Option<RequestId>,
    /// By when whoever waits for the tree wants it done; only the root's counts.
    deadline: Mutex<Option<Instant>>,
    data: T,
}

// === impl Task ===

impl Task {
    /// A task with no parent.
    #[must_use]
    pub fn root(name: impl Into<Cow<'static, str>>, request_id: Option<RequestId>) -> Self {
        TaskRef::root(name, request_id, ()).task()
    }

    /// A task started by this one.
    #[must_use]
    pub fn child(&self, name: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Node {
            id: TaskId::next(),
            parent: Some(self.0.id),
            root: Some(self.root_task().clone()),
            name: name.into(),
            request_id: self.0.request_id.clone(),
            deadline: Mutex::default(),
            data: (),
        }))
    }

    /// This task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.0.id
    }

    /// The id of the task that started this one; `None` for a root.
    #[must_use]
    pub fn parent_id(&self) -> Option<TaskId> {
        self.0.parent
    }

    /// The id of the root of this task's tree: its own for a root.
    #[must_use]
    pub fn root_id(&self) -> TaskId {
        self.root_task().0.id
    }

    /// The root of this task's tree: itself for a root.
    #[must_use]
    pub fn root_task(&self) -> &Self {
        self.0.root.as_ref().unwrap_or(self)
    }

    /// What the task is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The id of the request this is done for, if it is done for one.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.request_id.as_ref()
    }

    /// By when whoever waits for this task's tree wants it done; `None` for any time.
    ///
    /// Nobody is stopped by it. It is for those who ask others on the task's behalf, and can tell
    /// them.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        *self.root_deadline()
    }

    /// Wants this task's tree done by then, unless it is wanted earlier already.
    pub fn set_deadline(&self, deadline: Instant) {
        let mut known = self.root_deadline();
        *known = Some(known.map_or(deadline, |known| known.min(deadline)));
    }

    fn root_deadline(&self) -> MutexGuard<'_, Option<Instant>> {
        let root = self.root_task();
        // Nothing is left half done where it could panic.
        root.0
            .deadline
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The typed view, when this task was made with data of type `T`.
    #[must_use]
    pub fn downcast_data<T: Any>(&self) -> Option<&T> {
        self.0.data.downcast_ref()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.0.id)
            .field("parent", &self.0.parent)
            .field("root", &self.root_id())
            .field("name", &self.0.name)
            .field("request_id", &self.0.request_id)
            .finish_non_exhaustive()
    }
}

// === impl TaskRef ===

impl<T: Any + Send + Sync> TaskRef<T> {
    /// A root task with `data` beside it.
    #[must_use]
    pub fn root(
        name: impl Into<Cow<'static, str>>,
        request_id: Option<RequestId>,
        data: T,
    ) -> Self {
        Self(Arc::new(Node {
            id: TaskId::next(),
            parent: None,
            root: None,
            name: name.into(),
            request_id,
            deadline: Mutex::default(),
            data,
        }))
    }

    /// The task without its type.
    #[must_use]
    pub fn task(&self) -> Task {
        Task(Arc::clone(&self.0) as Arc<Node<dyn Any + Send + Sync>>)
    }
}

impl<T> TaskRef<T> {
    /// This task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.0.id
    }

    /// The id of the request this is done for, if it is done for one.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.request_id.as_ref()
    }
}

impl<T> Deref for TaskRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.data
    }
}

impl<T> Clone for TaskRef<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for TaskRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRef")
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}
