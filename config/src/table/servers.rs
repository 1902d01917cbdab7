//! `[unix_http_server]`, `[inet_http_server]`, `[rpcinterface:x]`, and what supervisorctl reads.

use std::path::PathBuf;

use super::{Absent, Reread, Scope, SectionKind, Typed, declare};
use crate::convert::{
    FILE_PATH, INET_ADDRESS, InetAddress, LIST, OCTAL, OWNER, Owner, RESOLVED_PATH, SERVER_URL,
    TEXT, ValueType, factory,
};

const fn server<T>(
    sections: &'static [SectionKind],
    key: &'static str,
    kind: ValueType<T>,
) -> Typed<T> {
    Typed::new(sections, key, kind).reread(Reread::NeedsRestart)
}

const fn ctl<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(&[SectionKind::Supervisorctl], key, kind).reread(Reread::NotTheDaemons)
}

const UNIX: &[SectionKind] = &[SectionKind::UnixHttpServer];
const INET: &[SectionKind] = &[SectionKind::InetHttpServer];
const BOTH: &[SectionKind] = &[SectionKind::UnixHttpServer, SectionKind::InetHttpServer];

declare! {
    FILE: PathBuf = server(UNIX, "file", RESOLVED_PATH)
        .absent(Absent::Required("section [{}] has no file value"))
        .scope(Scope::Here)
        .prose("Path of the Unix socket on which RPC and web pages are served.");
    CHMOD: u32 = server(UNIX, "chmod", OCTAL)
        .default("0700")
        .prose("Permissions of the socket: who may write to it may control the daemon.");
    CHOWN: Owner = server(UNIX, "chown", OWNER)
        .absent(Absent::Unset("the daemon's own"))
        .prose("Owner of the socket.");
    PORT: InetAddress = server(INET, "port", INET_ADDRESS)
        .absent(Absent::Required("section [{}] has no port value"))
        .prose("Address on which RPC and web pages are served. Whoever can reach it controls the daemon: \
                keep it on `127.0.0.1` or set a password.");
    USERNAME: String = server(BOTH, "username", TEXT)
        .absent(Absent::Unset("open to everybody"))
        .prose("User name that clients must give. Goes with `password`.");
    PASSWORD: String = server(BOTH, "password", TEXT)
        .absent(Absent::Unset("open to everybody"))
        .prose("Password that clients must give: plain, or `{SHA}` and the SHA-1 of it in hexadecimal.");
    CERTFILE: PathBuf = server(INET, "certfile", FILE_PATH)
        .absent(Absent::Unset("plain HTTP"))
        .scope(Scope::Here)
        .prose("Certificate with which the port speaks HTTPS: a PEM file with the server's certificate first. Goes \
                with `keyfile`. Changed files are taken up without a restart.");
    KEYFILE: PathBuf = server(INET, "keyfile", FILE_PATH)
        .absent(Absent::Unset("plain HTTP"))
        .scope(Scope::Here)
        .prose("Private key of the certificate, a PEM file.");
    SERVER_NAMES: Vec<String> = server(BOTH, "server_names", LIST)
        .default("")
        .prose("Names by which browsers call this server, with the port where that is not the usual one \
                (`sup.example.com:8080`), also behind a proxy. Where no password is asked for, a TCP server answers \
                browsers only if they call it by one of these, by an address, `localhost` or the name of the host: \
                other names may be another web site's trick (DNS rebinding).");
    RPC_FACTORY: String = server(&[SectionKind::RpcInterface], "supervisor.rpcinterface_factory", factory("`supervisor.rpcinterface:make_main_rpcinterface`"))
        .absent(Absent::Required("section [{}] does not specify a supervisor.rpcinterface_factory"))
        .prose("What provides the RPC namespace. The one there is: \
                `supervisor.rpcinterface:make_main_rpcinterface`, which takes no further options. supervisorctl \
                and the web pages need it.");
    CTL_SERVERURL: String = ctl("serverurl", SERVER_URL)
        .default("http://localhost:9001")
        .scope(Scope::Here)
        .prose("Where supervisorctl finds the daemon; `https://` where the port has a certificate.");
    CTL_USERNAME: String = ctl("username", TEXT)
        .absent(Absent::Unset("none is sent"))
        .prose("The `username` of the server section.");
    CTL_PASSWORD: String = ctl("password", TEXT)
        .absent(Absent::Unset("none is sent"))
        .prose("The `password` of the server section, in plain.");
    CTL_CAFILE: PathBuf = ctl("cafile", RESOLVED_PATH)
        .absent(Absent::Unset("well-known authorities, or those in the file that `SSL_CERT_FILE` names"))
        .scope(Scope::Here)
        .prose("Whom to trust where `serverurl` is `https://`: a PEM file with the certificate of the authority that \
                issued the server's, or with the server's own if it is self-signed.");
    CTL_PROMPT: String = ctl("prompt", TEXT)
        .default("supervisor")
        .prose("What the interactive shell shows before `>`.");
    CTL_HISTORY_FILE: String = ctl("history_file", TEXT)
        .absent(Absent::Unset("nothing is remembered"))
        .scope(Scope::Here)
        .prose("File in which the interactive shell remembers its lines.");
    CTL_FACTORY: String = Typed::new(&[SectionKind::CtlPlugin], "supervisor.ctl_factory", factory("`supervisor.supervisorctl:DefaultControllerPlugin`"))
        .absent(Absent::Required("section [{}] does not specify a supervisor.ctl_factory"))
        .reread(Reread::NotTheDaemons)
        .prose("What adds commands to supervisorctl. The one there is: \
                `supervisor.supervisorctl:DefaultControllerPlugin`, whose commands are there without it.");
}
