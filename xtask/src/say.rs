//! What steps print. Two run at once, so each line says whose it is.

use std::cell::Cell;

thread_local! {
    static SPEAKER: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Does the work of a step: what it prints meanwhile, and what the programs print that it runs, bears its name.
pub(crate) fn speaking_as<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let before = SPEAKER.replace(Some(name));
    let result = work();
    SPEAKER.set(before);
    result
}

/// Who speaks on this thread.
pub(crate) fn speaker() -> Option<&'static str> {
    SPEAKER.get()
}

/// Prints one line of a speaker.
pub(crate) fn line(speaker: Option<&str>, text: &str) {
    match speaker {
        Some(name) => println!("{name:>12} | {text}"),
        None => println!("{text}"),
    }
}

/// Prints a line of the step that runs on this thread.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line($crate::say::speaker(), &format!($($text)*)) };
}
pub(crate) use say;
