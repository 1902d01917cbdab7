//! Users, and servers that everybody could control.

use super::*;

#[test]
fn users_are_read_and_refused() {
    let users = config(
        "[user:ann]\nrole=Admin\npassword={SHA}00\n[user:bob]\nrole=operator\nprograms=web:*, db\n\
         unix_users=root,0\n",
    )
    .accounts;
    assert_eq!(
        users[0],
        Account {
            name: "ann".to_owned(),
            role: Role::Admin,
            password: Some("{SHA}00".to_owned()),
            programs: Vec::new(),
            unix_users: Vec::new(),
        }
    );
    assert_eq!(users[1].role, Role::Operator);
    assert_eq!(users[1].programs, ["web:*", "db"]);
    assert_eq!(users[1].unix_users, [0, 0]);
    let rows = [
        (
            "[user:a]\npassword=x",
            "section [user:a] does not specify a role",
        ),
        (
            "[user:a]\nrole=boss\npassword=x",
            "invalid 'role' value 'boss'",
        ),
        (
            "[user:a]\nrole=admin",
            "user 'a' has neither a password nor unix_users",
        ),
        (
            "[user:a]\nrole=operator\npassword=x",
            "user 'a' is an operator without programs",
        ),
        (
            "[user:a]\nrole=admin\nunix_users=no-such",
            "Invalid user name no-such",
        ),
        (
            "[inet_http_server]\nport=9\nkeyfile=/k",
            "needs both certfile and keyfile",
        ),
    ];
    for (text, expected) in rows {
        let error = error(text);
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn strictness_refuses_what_everybody_could_control() {
    let run = |text: &str| Files::new(&[("c", &format!("[supervisord]\n{text}"))]).load();
    let rows = [
        ("[inet_http_server]\nport=9001", true),
        ("[inet_http_server]\nport=0.0.0.0:9001", true),
        ("[inet_http_server]\nport=127.0.0.1:9001", false),
        (
            "[inet_http_server]\nport=9001\nusername=a\npassword=b",
            false,
        ),
        (
            "[inet_http_server]\nport=9001\n[user:a]\nrole=admin\npassword=b",
            false,
        ),
        ("[unix_http_server]\nfile=/s\nchmod=0722", true),
        ("[unix_http_server]\nfile=/s\nchmod=0770", false),
        (
            "[unix_http_server]\nfile=/s\nchmod=0777\nusername=a\npassword=b",
            false,
        ),
    ];
    for (section, refused) in rows {
        let strict = run(&format!("strict=true\n{section}"));
        assert_eq!(strict.is_err(), refused, "{section}");
        assert!(run(section).is_ok(), "{section}");
    }
    let text = error("strict=true\n[inet_http_server]\nport=*:9001");
    assert!(
        text.contains("Section [inet_http_server] would let everybody"),
        "{text}"
    );
    assert!(text.ends_with("line 4, option port)"), "{text}");
}
