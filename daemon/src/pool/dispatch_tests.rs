//! Rows for the queue, and a property: in order, one at a time, nothing lost.

use super::*;
use proptest::prelude::*;
use protocol::events::EventType;

fn event(serial: u64) -> Arc<Envelope> {
    Arc::new(Envelope {
        serial,
        event_type: EventType::Tick5,
        payload: "when:5".to_owned(),
    })
}

fn sends(effects: &[Effect]) -> Vec<(usize, u64)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { member, event } => Some((*member, event.envelope.serial)),
            _ => None,
        })
        .collect()
}

fn up(pool: &mut Dispatch, member: usize) -> Vec<Effect> {
    let mut effects = pool.running(member, true);
    effects.extend(pool.ready(member));
    effects
}

#[test]
fn events_wait_for_a_running_and_ready_member() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    assert_eq!(sends(&pool.accept(event(0))), []);
    assert_eq!(sends(&pool.ready(0)), []);
    assert_eq!(sends(&pool.running(0, true)), [(0, 0)]);
    assert_eq!(sends(&pool.accept(event(1))), []);
    assert!(pool.accepted(0).is_some());
    assert_eq!(sends(&pool.ready(0)), [(0, 1)]);
}

#[test]
fn the_first_free_member_is_preferred() {
    let mut pool = Dispatch::new(3, Limit::Events(10));
    up(&mut pool, 2);
    up(&mut pool, 1);
    assert_eq!(sends(&pool.accept(event(0))), [(1, 0)]);
    assert_eq!(sends(&pool.accept(event(1))), [(2, 1)]);
    assert_eq!(sends(&pool.accept(event(2))), []);
    assert_eq!(sends(&up(&mut pool, 0)), [(0, 2)]);
}

#[test]
fn a_full_buffer_discards_the_oldest() {
    let mut pool = Dispatch::new(1, Limit::Events(2));
    pool.accept(event(0));
    pool.accept(event(1));
    assert_eq!(pool.accept(event(2)), [Effect::Discarded(0)]);
    assert_eq!(pool.discarded(), 1);
    assert_eq!(pool.waiting(), 2);
}

#[test]
fn a_rejected_event_evicts_the_head_of_a_full_buffer_and_takes_its_place() {
    let mut pool = Dispatch::new(1, Limit::Events(2));
    up(&mut pool, 0);
    for serial in 0..3 {
        pool.accept(event(serial));
    }
    let effects = pool.rejected(0);
    assert_eq!(effects, [Effect::Rebuffered(0), Effect::Discarded(1)]);
    assert_eq!(sends(&pool.ready(0)), [(0, 0)]);
}

#[test]
fn a_redelivered_event_keeps_its_numbers() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    up(&mut pool, 0);
    pool.accept(event(7));
    pool.accept(event(8));
    pool.rejected(0);
    let effects = pool.ready(0);
    let [Effect::Send { event, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!((event.envelope.serial, event.poolserial), (7, 0));
}

#[test]
fn an_event_that_is_always_rejected_rests() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    pool.running(0, true);
    pool.accept(event(0));
    for _ in 0..3 {
        assert_eq!(sends(&pool.ready(0)), [(0, 0)]);
        pool.rejected(0);
    }
    assert_eq!(sends(&pool.ready(0)), [(0, 0)]);
    let rest = Effect::PauseFor(Duration::from_millis(100));
    assert_eq!(pool.rejected(0), [Effect::Rebuffered(0), rest]);
    assert_eq!(sends(&pool.ready(0)), []);
    assert_eq!(sends(&pool.resume()), [(0, 0)]);
}

#[test]
fn memory_bounds_a_pool_without_buffer_size() {
    let mut pool = Dispatch::new(1, Limit::Bytes(10 * (OVERHEAD + 6)));
    for serial in 0..10 {
        assert_eq!(pool.accept(event(serial)), []);
    }
    assert_eq!(pool.accept(event(10)), [Effect::Discarded(0)]);
}

#[test]
fn a_closed_pipe_passes_the_event_on() {
    let mut pool = Dispatch::new(2, Limit::Events(10));
    up(&mut pool, 0);
    up(&mut pool, 1);
    assert_eq!(sends(&pool.accept(event(0))), [(0, 0)]);
    assert_eq!(sends(&pool.unsendable(0)), [(1, 0)]);
}

proptest! {
    /// With room for all: every event is handled, in order for a pool of one, whatever listeners
    /// reject, however often they die, and no member ever holds two.
    #[test]
    fn nothing_is_lost(members in 1usize..4, choices in prop::collection::vec((0u8..6, 0usize..4), 1..300)) {
        let mut pool = Dispatch::new(members, Limit::Bytes(DEFAULT_MEMORY));
        let mut held = vec![None; members];
        let mut handled = Vec::new();
        let mut raised = 0;
        for (choice, member) in choices {
            let member = member % members;
            let effects = match choice {
                0 => { raised += 1; pool.accept(event(raised - 1)) }
                1 => pool.running(member, true),
                2 if held[member].is_none() => pool.ready(member),
                3 if held[member].is_some() => {
                    handled.extend(held[member].take());
                    pool.accepted(member);
                    Vec::new()
                }
                4 => { held[member] = None; pool.unready(member); pool.rejected(member) }
                5 => pool.resume(),
                _ => Vec::new(),
            };
            for (member, serial) in sends(&effects) {
                prop_assert_eq!(held[member].replace(serial), None);
            }
        }
        let finish = finish(&mut pool, &mut held, raised);
        handled.extend(finish);
        if members == 1 {
            prop_assert_eq!(&handled, &(0..raised).collect::<Vec<_>>());
        }
        handled.sort_unstable();
        prop_assert_eq!(handled, (0..raised).collect::<Vec<_>>());
    }
}

/// All members work properly from here on.
fn finish(pool: &mut Dispatch, held: &mut [Option<u64>], raised: u64) -> Vec<u64> {
    fn take(held: &mut [Option<u64>], effects: &[Effect]) {
        for (member, serial) in sends(effects) {
            assert_eq!(held[member].replace(serial), None);
        }
    }
    let mut handled = Vec::new();
    while pool.pauses > 0 {
        take(held, &pool.resume());
    }
    for _ in 0..=raised {
        for member in 0..held.len() {
            if let Some(serial) = held[member].take() {
                handled.push(serial);
                pool.accepted(member);
            }
            take(held, &pool.running(member, true));
            if held[member].is_none() {
                take(held, &pool.ready(member));
            }
        }
    }
    handled
}
