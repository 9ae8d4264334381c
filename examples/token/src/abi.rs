//! The plain ABI of `wasm32-unknown-unknown`: `malloc`, `free` and `handle`, with NUL-terminated JSON.
//!
//! The only unsafe code of the program. Pointers come from the host, which took them from `malloc`.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

use crate::Token;

/// Room in front of each block for its size, and the alignment of all blocks.
const HEADER: usize = 16;

thread_local! {
    /// The process.
    static TOKEN: RefCell<Token> = RefCell::default();
    /// The last answer; it stays until the next one.
    static ANSWER: RefCell<CString> = RefCell::default();
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// Gives a block of `size` bytes, or null.
#[unsafe(no_mangle)]
pub extern "C" fn malloc(size: usize) -> *mut u8 {
    let Some(layout) = layout(size) else { return std::ptr::null_mut() };
    // SAFETY: the layout is not empty; the header is within the block and aligned.
    unsafe {
        let block = alloc(layout);
        if block.is_null() {
            return block;
        }
        block.cast::<usize>().write(size);
        block.add(HEADER)
    }
}

/// Takes a block back.
///
/// # Safety
/// `pointer` is null or comes from [`malloc`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(pointer: *mut u8) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: `malloc` wrote the size in front of the block that it gave out.
    unsafe {
        let block = pointer.sub(HEADER);
        if let Some(layout) = layout(block.cast::<usize>().read()) {
            dealloc(block, layout);
        }
    }
}

/// Evaluates one message. The answer belongs to the module.
///
/// # Safety
/// Both pointers are of NUL-terminated texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn handle(message: *const c_char, env: *const c_char) -> *const c_char {
    // SAFETY: the host writes a NUL at the end of each text.
    let (message, env) = unsafe { (CStr::from_ptr(message), CStr::from_ptr(env)) };
    let (message, env) = (message.to_string_lossy(), env.to_string_lossy());
    let answer = TOKEN.with_borrow_mut(|token| token.answer(&message, &env));
    // JSON has no NUL: it escapes them.
    let answer = CString::new(answer).unwrap_or_default();
    ANSWER.with_borrow_mut(|last| {
        *last = answer;
        last.as_ptr()
    })
}
