//! The register of all statements, so that one test can prepare each on both engines.

/// A statement and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// Module and name.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

/// Declares a module's statements as private constants and registers them; once a module.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*

        pub(crate) const STATEMENTS: &[$crate::Statement] = &[$(
            $crate::Statement { name: concat!(module_path!(), "::", stringify!($name)), sql: $name }
        ),*];
    };
}

/// Declares the modules that have statements, so that none can be left out of the register.
macro_rules! aggregates {
    ($($module:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// Every statement that does not depend on a request's filters.
        #[must_use]
        pub fn statements() -> Vec<Statement> {
            [$($module::STATEMENTS),*].concat()
        }
    };
}
