//! Event listeners.

use super::*;

#[test]
fn listeners() {
    let config = config(
        "[eventlistener:e]\ncommand=e\nevents=tick_5, PROCESS_STATE,TICK_5\nbuffer_size=3\n",
    );
    let GroupKind::Listeners(pool) = &config.groups[0].kind else {
        panic!("no pool");
    };
    assert_eq!(pool.events, ["PROCESS_STATE", "TICK_5"]);
    assert_eq!(pool.buffer_size, Some(3));
    assert_eq!(
        pool.result_handler,
        "supervisor.dispatchers:default_handler"
    );
    assert!(config.groups[0].processes[0].is_listener);
}

fn pool_of(group: &GroupConfig) -> &PoolConfig {
    match &group.kind {
        GroupKind::Listeners(pool) => pool,
        GroupKind::Programs => panic!("no pool"),
    }
}

#[test]
fn pools_may_keep_their_events_in_files() {
    let config = config(
        "[eventlistener:e]\ncommand=e\nevents=TICK\nbuffer_file=/tmp/%(program_name)s.events\n\
         [eventlistener:f]\ncommand=e\nevents=TICK\nbuffer_file=/tmp/../tmp/f\nbuffer_file_maxbytes=2MB\n\
         buffer_file_sync=Never\n[eventlistener:g]\ncommand=e\nevents=TICK\n",
    );
    let files: Vec<_> = config
        .groups
        .iter()
        .map(|group| pool_of(group).buffer_file.clone())
        .collect();
    let file = |path: &str, maxbytes, sync| {
        Some(BufferFile {
            path: path.into(),
            maxbytes,
            sync,
        })
    };
    let second = SyncPolicy::Within(std::time::Duration::from_secs(1));
    let expected = [
        file("/tmp/e.events", 1 << 30, second),
        file("/tmp/f", 2 << 20, SyncPolicy::Never),
        None,
    ];
    assert_eq!(files, expected);
}

#[test]
fn buffer_files_that_cannot_be_are_refused() {
    let rows = [
        (
            "buffer_file=/nope/x",
            "The directory named as part of the path /nope/x does not exist (c, line 5, option buffer_file)",
        ),
        (
            "buffer_file=/tmp/x\nbuffer_file_maxbytes=10KB",
            "[eventlistener:e] section sets invalid buffer_file_maxbytes (10240): at least 1MB (c, line 6, option \
             buffer_file_maxbytes)",
        ),
        (
            "buffer_file_sync=0",
            "invalid 'buffer_file_sync' value '0' (c, line 5, option buffer_file_sync)",
        ),
        (
            "buffer_file=/tmp/x\n[eventlistener:f]\ncommand=e\nevents=TICK\nbuffer_file=/tmp/./x",
            "[eventlistener:f] names the buffer_file /tmp/x, which belongs to [eventlistener:e] (c, line 9, option \
             buffer_file)",
        ),
    ];
    for (lines, message) in rows {
        let text = format!("[eventlistener:e]\ncommand=e\nevents=TICK\n{lines}\n");
        assert_eq!(error(&text), message);
    }
}

#[test]
fn the_result_handler_of_supervisor_stdout_is_known() {
    let config = config(
        "[eventlistener:e]\ncommand=e\nevents=TICK\nresult_handler=supervisor_stdout:event_handler\n",
    );
    let GroupKind::Listeners(pool) = &config.groups[0].kind else {
        panic!("no pool");
    };
    assert_eq!(pool.result_handler, "supervisor_stdout:event_handler");
}
