//! What one evaluation carries: the host, the runtime to imitate, and the budget.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use dotnet::{Runtime, Str};
use smallvec::SmallVec;

use crate::exception::{Exception, Kind};
use crate::handlers::Handlers;
use crate::host::Host;
use crate::limits::Limits;
use crate::slot::{Cell, Slot};
use crate::value::{DateTime, Value};

/// The state of one evaluation.
pub struct EvalCx<'h> {
    host: &'h dyn Host,
    runtime: Runtime,
    steps: u64,
    bytes: u64,
    depth: u32,
    stored: Option<Box<Stored>>,
}

/// What evaluations keep that store something; most do not, and have none.
#[derive(Default)]
struct Stored {
    stack: SmallVec<[Slot; N_DIRECT]>,
    cells: Vec<Arc<Cell>>,
    unfinished: Option<Arc<Unfinished>>,
    handlers: Handlers,
}

/// How many slots need no memory of their own.
const N_DIRECT: usize = 8;

/// The slots of a function that waits.
#[derive(Debug, Default)]
pub struct Frame(Vec<Slot>);

/// What finishes something.
pub type Finish = Box<dyn FnOnce(&mut EvalCx<'_>) -> Result<(), Exception> + Send + Sync>;

/// What was let go before it was finished; [`EvalCx::settle`] finishes it.
#[derive(Default)]
pub struct Unfinished(Mutex<Vec<Finish>>);

impl Unfinished {
    /// Leaves something to be finished.
    pub fn leave(&self, finish: Finish) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(finish);
    }

    fn take(&self) -> Option<Finish> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl fmt::Debug for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unfinished")
    }
}

impl<'h> EvalCx<'h> {
    /// A fresh evaluation with a full budget.
    #[must_use]
    #[inline]
    pub fn new(host: &'h dyn Host, runtime: Runtime, limits: Limits) -> Self {
        Self {
            host,
            runtime,
            steps: limits.steps,
            bytes: limits.bytes,
            depth: limits.depth,
            stored: None,
        }
    }

    #[inline]
    fn stored(&mut self) -> &mut Stored {
        self.stored.get_or_insert_default()
    }

    pub(crate) fn handlers(&self) -> Option<&Handlers> {
        self.stored.as_ref().map(|it| &it.handlers)
    }

    pub(crate) fn handlers_mut(&mut self) -> &mut Handlers {
        &mut self.stored().handlers
    }

    #[inline]
    fn slot(&mut self, base: usize, slot: u32) -> Option<&mut Slot> {
        self.stored.as_mut()?.stack.get_mut(base + slot as usize)
    }

    /// The request being handled.
    #[inline]
    #[must_use]
    pub fn host(&self) -> &'h dyn Host {
        self.host
    }

    /// Which .NET to imitate.
    #[must_use]
    pub const fn runtime(&self) -> Runtime {
        self.runtime
    }

    /// Counts one step.
    ///
    /// # Errors
    ///
    /// If the steps are used up.
    #[inline]
    pub fn step(&mut self) -> Result<(), Exception> {
        self.steps(1)
    }

    /// Counts several steps, for work that grows with its input (about one per 64 bytes looked at).
    ///
    /// # Errors
    ///
    /// If the steps are used up.
    #[inline]
    pub fn steps(&mut self, n: u64) -> Result<(), Exception> {
        match self.steps.checked_sub(n) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(Exception::budget(Kind::Steps))
            }
        }
    }

    /// How many steps are left.
    #[must_use]
    pub const fn steps_left(&self) -> u64 {
        self.steps
    }

    /// How many bytes are left.
    #[must_use]
    pub fn bytes_left(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    /// Counts bytes before they are allocated; what is freed is not given back.
    ///
    /// # Errors
    ///
    /// If the bytes are used up.
    #[inline]
    pub fn allocate(&mut self, bytes: usize) -> Result<(), Exception> {
        match self.bytes.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => {
                self.bytes = 0;
                Err(Exception::budget(Kind::Memory))
            }
        }
    }

    /// Runs something that nests so many levels deeper.
    ///
    /// # Errors
    ///
    /// What `f` returns, or that calls nest too deeply.
    #[inline]
    pub fn deeper<R>(
        &mut self,
        levels: u32,
        f: impl FnOnce(&mut Self) -> Result<R, Exception>,
    ) -> Result<R, Exception> {
        let Some(left) = self.depth.checked_sub(levels) else {
            return Err(Exception::budget(Kind::Depth));
        };
        self.depth = left;
        let result = f(self);
        self.depth += levels;
        result
    }

    /// Makes slots for a function; gives the first one.
    #[inline]
    pub fn push_frame(&mut self, slots: u32) -> usize {
        let stack = &mut self.stored().stack;
        let base = stack.len();
        stack.resize(base + slots as usize, Slot::Value(Value::Null));
        base
    }

    /// Drops the slots of a function.
    #[inline]
    pub fn pop_frame(&mut self, base: usize) {
        if let Some(stored) = &mut self.stored {
            stored.stack.truncate(base);
        }
    }

    /// Takes the slots of a function away, to go on with it later.
    pub fn suspend(&mut self, base: usize) -> Frame {
        let stack = &mut self.stored().stack;
        Frame(stack.drain(base.min(stack.len())..).collect())
    }

    /// Puts the slots of a function back; gives the first one.
    pub fn resume(&mut self, frame: Frame) -> usize {
        let stack = &mut self.stored().stack;
        let base = stack.len();
        stack.extend(frame.0);
        base
    }

    /// Where what was left unfinished waits; made when it is first asked for.
    pub fn unfinished(&mut self) -> Arc<Unfinished> {
        Arc::clone(self.stored().unfinished.get_or_insert_default())
    }

    /// Finishes what was left unfinished: `finally` blocks of iterators that were let go.
    ///
    /// # Errors
    ///
    /// What those throw.
    pub fn settle(&mut self) -> Result<(), Exception> {
        let waiting = self.stored.as_ref().and_then(|it| it.unfinished.clone());
        let Some(waiting) = waiting else { return Ok(()) };
        while let Some(finish) = waiting.take() {
            self.step()?;
            finish(self)?;
        }
        Ok(())
    }

    /// The value of a slot.
    #[inline]
    pub fn load(&self, base: usize, slot: u32) -> Value {
        let stack = self.stored.as_ref().map(|it| &it.stack);
        match stack.and_then(|it| it.get(base + slot as usize)) {
            Some(Slot::Value(it)) => it.clone(),
            Some(Slot::Cell(it)) => it.get(),
            None => Value::Null,
        }
    }

    /// Stores a value in a slot, or in the cell that is there.
    #[inline]
    pub fn store(&mut self, base: usize, slot: u32, value: Value) {
        match self.slot(base, slot) {
            Some(Slot::Cell(it)) => it.set(value),
            Some(it) => *it = Slot::Value(value),
            None => {}
        }
    }

    /// Puts a cell of its own into a slot.
    pub fn fresh_cell(&mut self, base: usize, slot: u32) {
        let cell = self.new_cell(Value::Null);
        self.share(base, slot, cell);
    }

    fn new_cell(&mut self, value: Value) -> Arc<Cell> {
        let cell = Cell::new(value);
        self.bytes = self.bytes.saturating_sub(size_of::<Cell>() as u64);
        self.stored().cells.push(Arc::clone(&cell));
        cell
    }

    /// Has a lambda captured a variable?
    #[inline]
    pub fn has_cells(&self) -> bool {
        self.stored.as_ref().is_some_and(|it| !it.cells.is_empty())
    }

    /// Empties all captured variables, so that functions which refer to themselves are freed.
    pub fn clear_cells(&mut self) {
        for cell in self.stored().cells.drain(..) {
            cell.set(Value::Null);
        }
    }

    /// Puts a shared cell into a slot.
    pub fn share(&mut self, base: usize, slot: u32, cell: Arc<Cell>) {
        if let Some(it) = self.slot(base, slot) {
            *it = Slot::Cell(cell);
        }
    }

    /// The cell in a slot; a plain value is moved into a new one.
    pub fn cell(&mut self, base: usize, slot: u32) -> Arc<Cell> {
        match self.slot(base, slot) {
            Some(Slot::Cell(it)) => Arc::clone(it),
            Some(Slot::Value(it)) => {
                let value = std::mem::take(it);
                let cell = self.new_cell(value);
                self.share(base, slot, Arc::clone(&cell));
                cell
            }
            None => Cell::new(Value::Null),
        }
    }

    /// The text of a value; a part of `context` may need the host for it.
    #[must_use]
    pub fn text_of(&self, value: &Value) -> Str {
        let of_host = match value {
            Value::Host(it) => it.text(self.host),
            _ => None,
        };
        of_host.unwrap_or_else(|| value.to_str(self.runtime))
    }

    /// Calls a delegate.
    ///
    /// # Errors
    ///
    /// `NullReferenceException` for null; what the delegate throws.
    pub fn invoke(&mut self, delegate: &Value, args: &[Value]) -> Result<Value, Exception> {
        match delegate {
            Value::Func(it) => {
                self.step()?;
                it.call(args, self)
            }
            Value::Null => Err(Exception::null_reference()),
            other => Err(Exception::invalid_cast(format!(
                "Unable to cast object of type '{}' to type 'System.Delegate'.",
                other.type_name()
            ))),
        }
    }

    /// Calls a predicate.
    ///
    /// # Errors
    ///
    /// As [`EvalCx::invoke`].
    pub fn test(&mut self, predicate: &Value, args: &[Value]) -> Result<bool, Exception> {
        Ok(self.invoke(predicate, args)?.as_bool().unwrap_or(false))
    }

    /// The host's time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.host.now()
    }

    /// The host's time as UTC `DateTime`.
    #[must_use]
    pub fn utc_now(&self) -> DateTime {
        DateTime::from_system(self.host.now())
    }

    /// Fills bytes at random.
    pub fn random(&self, bytes: &mut [u8]) {
        self.host.random(bytes);
    }

    /// A random GUID (version 4).
    #[must_use]
    pub fn random_guid(&self) -> Value {
        let mut bytes = [0_u8; 16];
        self.host.random(&mut bytes);
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
        Value::Guid(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::EmptyHost;

    fn with_limits(limits: Limits, f: impl FnOnce(&mut EvalCx<'_>)) {
        f(&mut EvalCx::new(&EmptyHost::default(), Runtime::Modern, limits));
    }

    #[test]
    fn each_bound_ends_the_evaluation_with_its_own_kind() {
        with_limits(Limits { steps: 2, bytes: 10, depth: 1 }, |cx| {
            assert!(cx.steps(2).is_ok());
            assert_eq!(cx.step().unwrap_err().kind, Kind::Steps);
            assert!(cx.allocate(10).is_ok());
            assert_eq!(cx.allocate(1).unwrap_err().kind, Kind::Memory);
            let nested = cx.deeper(1, |cx| cx.deeper(1, |_| Ok(())));
            assert_eq!(nested.unwrap_err().kind, Kind::Depth);
            assert!(cx.deeper(1, |_| Ok(())).is_ok());
        });
    }

    #[test]
    fn a_suspended_frame_comes_back_with_its_values() {
        with_limits(Limits::default(), |cx| {
            let base = cx.push_frame(2);
            cx.store(base, 1, Value::from(7));
            let frame = cx.suspend(base);
            let other = cx.push_frame(1);
            let again = cx.resume(frame);
            assert!(again > other && cx.load(again, 1).equals(&Value::from(7)));
        });
    }

    #[test]
    fn what_is_left_unfinished_is_finished_later_and_within_the_budget() {
        with_limits(Limits { steps: 1, ..Limits::default() }, |cx| {
            let waiting = cx.unfinished();
            waiting.leave(Box::new(|cx| cx.allocate(1)));
            assert!(cx.settle().is_ok());
            waiting.leave(Box::new(|_| Ok(())));
            assert_eq!(cx.settle().unwrap_err().kind, Kind::Steps);
        });
    }

    #[test]
    fn a_random_guid_has_version_four() {
        with_limits(Limits::default(), |cx| {
            assert_eq!(cx.random_guid().to_text(), "5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a");
        });
    }
}
