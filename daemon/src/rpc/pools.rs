//! Methods about pools of listeners: an extension of Supervisor's interface.

use protocol::faults::Fault;
use protocol::xmlrpc::{Encoder, Value};

use super::RpcContext;
use super::answer::Answer;
use super::arguments::Arguments;
use crate::supervisor::messages::{GetAllPools, GetPool, PoolInfo};

pub(super) async fn one(context: &RpcContext, arguments: &mut Arguments) -> Result<Answer, Fault> {
    let info = context.ask(GetPool(arguments.text()?)).await??;
    Ok(Answer::Pool(Box::new(info)))
}

pub(super) async fn all(context: &RpcContext) -> Result<Answer, Fault> {
    Ok(Answer::Pools(context.ask(GetAllPools).await?))
}

/// The struct of `getEventPoolInfo`.
pub(super) fn write(pool: &PoolInfo, encoder: &mut Encoder<'_>) {
    let path = pool.buffer_file.as_ref();
    encoder.record(|record| {
        record.string_member("name", &pool.name);
        write_count(record, "buffered", pool.buffered);
        write_count(record, "bytes", pool.bytes);
        write_count(record, "oldest", pool.oldest);
        write_count(record, "resting", pool.resting);
        write_count(record, "in_flight", pool.in_flight);
        write_count(record, "delivered", pool.tally.delivered);
        write_count(record, "rejected", pool.tally.rejected);
        write_count(record, "discarded", pool.tally.discarded);
        let path = path.map_or("".into(), |path| path.to_string_lossy());
        record.string_member("buffer_file", &path);
        record.bool_member("disk_failed", pool.disk_failed);
        record.member("listeners", |member| {
            member.array(|listeners| {
                for listener in &pool.listeners {
                    listeners.record(|record| {
                        record.string_member("name", &listener.name);
                        record.int_member("pid", listener.pid);
                        record.int_member("state", listener.state.code());
                        record.string_member("statename", listener.state.name());
                    });
                }
            });
        });
    });
}

/// What is too large for an int goes as a double, which is exact up to 2^53.
fn write_count(record: &mut Encoder<'_>, name: &str, count: u64) {
    match i32::try_from(count) {
        Ok(count) => record.int_member(name, count),
        #[allow(clippy::cast_precision_loss, reason = "nobody counts that far")]
        Err(_) => record.member(name, |member| member.value(&Value::Double(count as f64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::xmlrpc::write_response_with;

    #[test]
    fn large_counts_are_no_ints() {
        for (count, written) in [(7, "<int>7</int>"), (1 << 31, "<double>2147483648")] {
            let mut out = Vec::new();
            write_response_with(
                |encoder| encoder.record(|record| write_count(record, "n", count)),
                &mut out,
            );
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains(written), "{text}");
        }
    }
}
