//! Verifies a proof in Rust, from public data alone.
//!
//!     HOLDFAST_LIB=/usr/lib/x86_64-linux-gnu cargo run -- PUBLIC_FOLDER PROOF_FILE
//!
//! Ends with 0 when the proof is accepted, 1 when it is refused, 2 when it cannot be judged.

use std::ffi::{c_char, c_void, CStr, CString};
use std::process::ExitCode;
use std::ptr;

#[repr(C)]
struct Verdict {
    reason: i32,
    has_index: i32,
    index: u64,
}

/// The beginning of holdfast_verify_report: its size says how much of it is wanted.
#[repr(C)]
struct Report {
    struct_size: usize,
    verdict: Verdict,
    kind: i32,
    has_chain_id: u32,
    has_height: u32,
    chain_id: [u8; 32],
    height: u64,
}

extern "C" {
    fn holdfast_verifier_load(folder: *const c_char, out: *mut *mut c_void) -> i32;
    fn holdfast_verifier_verify(
        verifier: *const c_void,
        object: *const u8,
        object_bytes: usize,
        hints: *const c_void,
        control: *const c_void,
        out: *mut Report,
    ) -> i32;
    fn holdfast_verifier_free(verifier: *mut c_void);
    fn holdfast_last_error() -> *const c_char;
    fn holdfast_status_name(status: i32) -> *const c_char;
    fn holdfast_reason_name(reason: i32) -> *const c_char;
    fn holdfast_reason_meaning(reason: i32) -> *const c_char;
    fn holdfast_kind_name(kind: i32) -> *const c_char;
}

fn text(from: *const c_char) -> String {
    if from.is_null() {
        return "unknown".into();
    }
    // The library's texts end with a NUL and stand until the next call of this thread.
    unsafe { CStr::from_ptr(from) }.to_string_lossy().into_owned()
}

fn check(status: i32) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    let (name, what) = unsafe { (holdfast_status_name(status), holdfast_last_error()) };
    Err(format!("{}: {}", text(name), text(what)))
}

struct Verifier(*mut c_void);

impl Verifier {
    fn load(folder: &str) -> Result<Self, String> {
        let folder = CString::new(folder).map_err(|e| e.to_string())?;
        let mut handle = ptr::null_mut();
        check(unsafe { holdfast_verifier_load(folder.as_ptr(), &mut handle) })?;
        Ok(Verifier(handle))
    }

    fn verify(&self, object: &[u8]) -> Result<Report, String> {
        let mut report: Report = unsafe { std::mem::zeroed() };
        report.struct_size = std::mem::size_of::<Report>();
        check(unsafe {
            holdfast_verifier_verify(
                self.0,
                object.as_ptr(),
                object.len(),
                ptr::null(),
                ptr::null(),
                &mut report,
            )
        })?;
        Ok(report)
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        unsafe { holdfast_verifier_free(self.0) }
    }
}

fn judge(folder: &str, proof: &str) -> Result<bool, String> {
    let object = std::fs::read(proof).map_err(|e| format!("{proof}: {e}"))?;
    let report = Verifier::load(folder)?.verify(&object)?;
    let (kind, reason) =
        unsafe { (holdfast_kind_name(report.kind), holdfast_reason_name(report.verdict.reason)) };
    println!("{} of height {}: {}", text(kind), report.height, text(reason));
    if report.verdict.reason != 0 {
        println!("{}", text(unsafe { holdfast_reason_meaning(report.verdict.reason) }));
    }
    Ok(report.verdict.reason == 0)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 3 {
        eprintln!("usage: {} PUBLIC_FOLDER PROOF_FILE", arguments[0]);
        return ExitCode::from(2);
    }
    match judge(&arguments[1], &arguments[2]) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
