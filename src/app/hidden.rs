//! How is a secret typed on a terminal? Without being shown; Ctrl-C ends the program and leaves the terminal as it was.
//!
//! The library that reads it raises the signal before it puts the terminal back. Whoever died of that would leave a terminal that shows
//! nothing of what is typed next.

use std::io::ErrorKind;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use secrecy::SecretString;

/// What shells expect of whoever ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

static IS_TYPED: AtomicBool = AtomicBool::new(false);

/// What is typed up to the end of the line; none where it cannot be read.
pub(super) fn read_hidden() -> Option<SecretString> {
    static WATCH: Once = Once::new();
    WATCH.call_once(watch);
    IS_TYPED.store(true, Ordering::SeqCst);
    let typed = rpassword::read_password();
    IS_TYPED.store(false, Ordering::SeqCst);
    if typed.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
        std::process::exit(INTERRUPTED);
    }
    typed.ok().map(SecretString::from)
}

/// Returns once Ctrl-C is heard here: it ends the program at once, but where a secret is typed that ends first.
fn watch() {
    let (ready, is_ready) = channel();
    let watcher = std::thread::Builder::new().name("ctrl-c".to_owned()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            loop {
                // The first look is what begins to listen.
                let (pressed, ()) = tokio::join!(tokio::signal::ctrl_c(), async {
                    let _ = ready.send(());
                });
                if pressed.is_err() {
                    return;
                }
                if !IS_TYPED.load(Ordering::SeqCst) {
                    std::process::exit(INTERRUPTED);
                }
            }
        });
    });
    if watcher.is_ok() {
        let _ = is_ready.recv();
    }
}
