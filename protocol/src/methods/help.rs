//! What `system.methodHelp` and `system.methodSignature` tell.

use std::fmt::Write as _;

use super::{Method, Spec};

impl Method {
    /// The text of `system.methodHelp`: the summary, then a line per parameter and one for the result.
    pub fn help(self) -> String {
        let Spec {
            summary,
            params,
            result,
            ..
        } = self.spec();
        let mut text = format!("{summary}\n\n");
        // Writing to a string cannot fail.
        for param in *params {
            let _ = writeln!(
                text,
                "@param {} {} {}",
                param.kind.name(),
                param.name,
                param.doc
            );
        }
        let _ = writeln!(text, "@return {} result {}", result.kind.name(), result.doc);
        text
    }

    /// The type names of `system.methodSignature`: the result's, then the parameters'.
    pub fn signature(self) -> impl Iterator<Item = &'static str> {
        let spec = self.spec();
        let params = spec.params.iter().map(|param| param.kind.name());
        std::iter::once(spec.result.kind.name()).chain(params)
    }
}
