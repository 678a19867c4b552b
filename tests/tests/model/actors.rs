//! Actors, who act one at a time. Between two pauses of one actor, another may go on.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::probe::{Actor, Script};

/// The work of an actor.
pub(crate) struct Acting<T> {
    pub(crate) actor: Actor,
    pub(crate) future: Pin<Box<dyn Future<Output = T>>>,
}

enum Progress<T> {
    Done(T),
    Paused,
    /// The actor waits for the store, or for another actor.
    Waits,
}

/// Lets all actors finish. Each bit of `order` says which goes on to the next pause. The result of an actor that was
/// cut short is `None`.
pub(crate) async fn finish<T>(script: &Script, acting: Vec<Acting<T>>, order: u32) -> Vec<Option<T>> {
    let mut done: Vec<Option<T>> = acting.iter().map(|_| None).collect();
    let mut acting: Vec<_> = acting.into_iter().map(Some).collect();
    let mut order = order;
    let mut in_call = None;
    poll_fn(|context| {
        let mut waiting = 0;
        loop {
            let left: Vec<_> = (0..acting.len()).filter(|index| acting[*index].is_some()).collect();
            if left.is_empty() || script.is_cut() {
                return Poll::Ready(());
            }
            if waiting >= left.len() {
                return Poll::Pending;
            }
            let bit = usize::from(order & 1 == 1);
            let index = in_call.unwrap_or(left[(bit + waiting) % left.len()]);
            let Some(chosen) = &mut acting[index] else { return Poll::Ready(()) };
            let progress = go_on(script, chosen, context);
            in_call = script.is_in_call().then_some(index);
            match progress {
                Progress::Done(outcome) => {
                    done[index] = Some(outcome);
                    acting[index] = None;
                    waiting = 0;
                }
                Progress::Paused => {
                    order = order.rotate_right(1);
                    waiting = 0;
                }
                Progress::Waits if in_call.is_some() => return Poll::Pending,
                Progress::Waits => waiting += 1,
            }
        }
    })
    .await;
    done
}

fn go_on<T>(script: &Script, acting: &mut Acting<T>, context: &mut Context<'_>) -> Progress<T> {
    script.enter(acting.actor);
    let pauses = script.pauses();
    match acting.future.as_mut().poll(context) {
        Poll::Ready(outcome) => Progress::Done(outcome),
        Poll::Pending if script.pauses() > pauses => Progress::Paused,
        Poll::Pending => Progress::Waits,
    }
}
