//! Annotations of JSON tokens and XML nodes: objects that an expression puts at them and finds again.
//! <https://learn.microsoft.com/dotnet/api/system.xml.linq.xobject.addannotation>,
//! <https://www.newtonsoft.com/json/help/html/M_Newtonsoft_Json_Linq_JToken_AddAnnotation.htm>
//!
//! Both libraries keep them in the same way, which shows when they change during an enumeration: one
//! alone, or an array that is replaced by one of twice its length when it is full.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{Type, names};
use clr::value::{Cursor, Value};
use corelib::language::TypeObject;
use tree::{Note, json, xml};

/// Bytes that an annotation takes, roughly.
const BYTES: usize = 96;

const TYPE: Type = Type::named(names::TYPE);
const OBJECT: Type = Type::Object;

/// The rows of `JToken` and of `XObject`.
pub(crate) const MEMBERS: [Member; 7] = [
    Member::method("AddAnnotation", &[OBJECT], Type::Void, add)
        .params(&["annotation"])
        .doc("Puts an object at the node, for the same expression or a later one."),
    Member::method("Annotation", &[], Type::M, |args, _| {
        let of = args.method_arg(0);
        first(args, of)
    })
    .of_classes()
    .doc("The first annotation of a type, or null."),
    Member::method("Annotation", &[TYPE], OBJECT, |args, _| {
        let of = type_of(args)?;
        first(args, of)
    })
    .params(&["type"]),
    Member::method("Annotations", &[], Type::enumerable(&[Type::M]), |args, _| {
        let of = args.method_arg(0);
        all(args, of, of)
    })
    .of_classes()
    .doc("All annotations of a type."),
    Member::method("Annotations", &[TYPE], Type::enumerable(&[OBJECT]), |args, _| {
        let of = type_of(args)?;
        all(args, of, OBJECT)
    })
    .params(&["type"]),
    Member::method("RemoveAnnotations", &[], Type::Void, |args, _| {
        let of = args.method_arg(0);
        remove(args, of)
    })
    .of_classes()
    .doc("Removes all annotations of a type."),
    Member::method("RemoveAnnotations", &[TYPE], Type::Void, |args, _| {
        let of = type_of(args)?;
        remove(args, of)
    })
    .params(&["type"]),
];

/// An array of annotations, in which those that are there come first.
type Slots = Arc<Mutex<Vec<Value>>>;

/// The annotations of a node.
#[derive(Debug, Default)]
struct Annotations(Mutex<Kept>);

#[derive(Clone, Debug, Default)]
enum Kept {
    #[default]
    None,
    One(Value),
    Many(Slots),
}

impl Drop for Annotations {
    fn drop(&mut self) {
        let kept = std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
        match kept {
            Kept::None => {}
            Kept::One(it) => clr::value::release([it]),
            // An enumeration under way may hold the array still.
            Kept::Many(slots) => {
                if let Ok(slots) = Arc::try_unwrap(slots) {
                    clr::value::release(slots.into_inner().unwrap_or_else(PoisonError::into_inner));
                }
            }
        }
    }
}

impl Note for Annotations {
    fn copied(&self) -> Arc<dyn Note> {
        let copy = match &*self.lock() {
            Kept::Many(slots) => Kept::Many(Arc::new(Mutex::new(locked(slots).clone()))),
            other => other.clone(),
        };
        Arc::new(Self(Mutex::new(copy)))
    }
}

fn locked(slots: &Slots) -> MutexGuard<'_, Vec<Value>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Annotations {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, new: Value) {
        let mut kept = self.lock();
        *kept = match std::mem::take(&mut *kept) {
            // An array would be taken for the array of annotations.
            Kept::None if new.is_instance(Type::Array(&OBJECT)) => many(vec![new]),
            Kept::None => Kept::One(new),
            Kept::One(old) => many(vec![old, new]),
            Kept::Many(slots) => {
                let mut items = locked(&slots);
                match items.iter_mut().find(|it| it.is_null()) {
                    Some(free) => {
                        *free = new;
                        drop(items);
                        Kept::Many(slots)
                    }
                    None => {
                        let mut longer = items.clone();
                        let length = longer.len() * 2;
                        longer.push(new);
                        longer.resize(length.max(longer.len()), Value::Null);
                        many(longer)
                    }
                }
            }
        };
    }

    /// Takes those of a type out; gives them.
    fn remove(&self, of: Type) -> Vec<Value> {
        let mut kept = self.lock();
        match &*kept {
            Kept::One(it) if it.is_instance(of) => match std::mem::take(&mut *kept) {
                Kept::One(it) => vec![it],
                _ => Vec::new(),
            },
            Kept::Many(slots) => {
                let slots = Arc::clone(slots);
                let mut items = locked(&slots);
                let length = items.len();
                let is_there = |it: &Value| !it.is_null();
                let (gone, left): (Vec<Value>, Vec<Value>) = std::mem::take(&mut *items)
                    .into_iter()
                    .filter(is_there)
                    .partition(|it| it.is_instance(of));
                if left.is_empty() {
                    // The array is let go as it is.
                    gone.clone_into(&mut items);
                    *kept = Kept::None;
                } else {
                    *items = left;
                }
                items.resize(length, Value::Null);
                gone
            }
            _ => Vec::new(),
        }
    }

    fn start(&self, of: Type) -> Found {
        let (single, slots) = match &*self.lock() {
            Kept::None => (None, None),
            Kept::One(it) => (Some(it.clone()), None),
            Kept::Many(slots) => (None, Some(Arc::clone(slots))),
        };
        Found { of, single, slots, at: 0 }
    }
}

fn many(items: Vec<Value>) -> Kept {
    Kept::Many(Arc::new(Mutex::new(items)))
}

/// An enumeration: of one, or of an array as it is meanwhile.
struct Found {
    of: Type,
    single: Option<Value>,
    slots: Option<Slots>,
    at: usize,
}

impl Iterator for Found {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let fits = |it: &Value| it.is_instance(self.of);
        if let Some(single) = self.single.take() {
            return Some(single).filter(fits);
        }
        let slots = self.slots.as_ref()?;
        loop {
            let item = locked(slots).get(self.at).cloned().filter(|it| !it.is_null())?;
            self.at += 1;
            if fits(&item) {
                return Some(item);
            }
        }
    }
}

impl Cursor for Found {
    fn next(&mut self, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        cx.step()?;
        Ok(Iterator::next(self))
    }
}

/// A node of either library.
enum Place {
    Json(json::Token),
    Xml(xml::Node),
}

fn place(args: &Args<'_>) -> Result<Place, Exception> {
    let it = args.value(0);
    crate::json::token_of(it)
        .map(|it| Place::Json(it.clone()))
        .or_else(|| crate::xml::node_of(it).map(|it| Place::Xml(it.clone())))
        .ok_or_else(Exception::null_reference)
}

impl Place {
    fn note(&self) -> Option<Arc<dyn Note>> {
        match self {
            Self::Json(it) => it.note(),
            Self::Xml(it) => it.note(),
        }
    }

    fn set_note(&self, note: Arc<dyn Note>) {
        match self {
            Self::Json(it) => it.set_note(note),
            Self::Xml(it) => it.set_note(note),
        }
    }

    /// Does something with the annotations of the node, if it has any.
    fn with<R>(&self, f: impl FnOnce(&Annotations) -> R) -> Option<R> {
        let note: Arc<dyn std::any::Any + Send + Sync> = self.note()?;
        note.downcast_ref::<Annotations>().map(f)
    }
}

fn add(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let new: Value = args.arg(1)?;
    if new.is_null() {
        return Err(Exception::argument_null("annotation"));
    }
    cx.allocate(BYTES)?;
    let place = place(args)?;
    if place.note().is_none() {
        place.set_note(Arc::new(Annotations::default()));
    }
    place.with(|it| it.add(new));
    Ok(Value::Null)
}

fn first(args: &Args<'_>, of: Type) -> Result<Value, Exception> {
    let found = place(args)?.with(|it| Iterator::next(&mut it.start(of)));
    Ok(found.flatten().unwrap_or_default())
}

fn all(args: &Args<'_>, of: Type, element: Type) -> Result<Value, Exception> {
    let place = place(args)?;
    Ok(Value::sequence(element, move |_| {
        let found = place.with(|it| it.start(of));
        Ok(Box::new(found.unwrap_or(Found { of, single: None, slots: None, at: 0 })))
    }))
}

fn remove(args: &Args<'_>, of: Type) -> Result<Value, Exception> {
    // They are let go after the lock.
    let gone = place(args)?.with(|it| it.remove(of));
    drop(gone);
    Ok(Value::Null)
}

/// An argument that is a `Type`.
fn type_of(args: &Args<'_>) -> Result<Type, Exception> {
    let it = args.value(1).as_object::<TypeObject>();
    it.map(|it| it.0).ok_or_else(|| Exception::argument_null("type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(it: &Annotations, of: Type) -> String {
        it.start(of).map(|it| it.to_text().to_string()).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn annotations_are_found_by_their_type() {
        let it = Annotations::default();
        for value in [Value::from("a"), Value::from(5), Value::from("b")] {
            it.add(value);
        }
        assert_eq!(shown(&it, Type::String), "a,b");
        assert_eq!(shown(&it, OBJECT), "a,5,b");
        it.remove(Type::String);
        it.add(Value::from("c"));
        assert_eq!(shown(&it, OBJECT), "5,c");
        it.remove(OBJECT);
        assert_eq!(shown(&it, OBJECT), "");
    }

    #[test]
    fn an_enumeration_sees_what_comes_into_its_array() {
        let it = Annotations::default();
        it.add(Value::from(1));
        let alone = it.start(OBJECT);
        it.add(Value::from(2));
        let two = it.start(OBJECT);
        it.add(Value::from(3));
        let three = it.start(OBJECT);
        it.add(Value::from(4));
        assert_eq!((alone.count(), two.count(), three.count()), (1, 2, 4));
    }
}
