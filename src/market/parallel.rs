//! How is the same work done for many things at once? On every core, with the results in the order of the things.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

/// Does `work` for every item on as many threads as the machine runs at once; the answers stand in the order of the items.
/// `progress` hears, on this thread, how many of how many items are taken up.
pub fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    progress: &mut dyn FnMut(usize, usize),
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work_through = |taken_up: &mut dyn FnMut(usize)| {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            taken_up(index);
            done.push((index, work(item)));
        }
    };
    let helpers = thread::available_parallelism().map_or(1, NonZero::get).min(items.len()).saturating_sub(1);
    let mut done = thread::scope(|scope| {
        let help = || Builder::new().spawn_scoped(scope, || work_through(&mut |_| {}));
        // Where the system gives no thread, the others do its work.
        let helpers: Vec<_> = (0..helpers).filter_map(|_| help().ok()).collect();
        let mut done = work_through(&mut |index| progress(index, items.len()));
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    progress(items.len(), items.len());
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_in_the_order_of_the_items() {
        for count in [0, 1, 2, 1_000] {
            let items: Vec<usize> = (0..count).collect();
            let mut told = Vec::new();
            let doubled = in_parallel(&items, |item| item * 2, &mut |done, all| told.push((done, all)));
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
            assert_eq!(told.last(), Some(&(count, count)));
            assert!(told.is_sorted());
        }
    }
}
