//! Which kind of failure each error of the crates below is.

use super::{CliError, Kind, kind_of_io, with_causes};

impl From<gollm_tensor::Error> for CliError {
    fn from(error: gollm_tensor::Error) -> Self {
        Self::new(kind_of_tensor(&error), with_causes(&error))
    }
}

fn kind_of_tensor(error: &gollm_tensor::Error) -> Kind {
    use gollm_tensor::Error as E;
    match error {
        E::TooLarge { .. } | E::Device { .. } => Kind::Resources,
        _ => Kind::Runtime,
    }
}

impl From<gollm_model::Error> for CliError {
    fn from(error: gollm_model::Error) -> Self {
        Self::new(kind_of_model(&error), with_causes(&error))
    }
}

fn kind_of_model(error: &gollm_model::Error) -> Kind {
    use gollm_model::Error as E;
    match error {
        E::Tensor(error) => kind_of_tensor(error),
        E::ConfigFile { source, .. } => kind_of_io(source, Kind::BadFile),
        E::ConfigSyntax { .. }
        | E::ConfigUnknownKey { .. }
        | E::ConfigMissingKey { .. }
        | E::ConfigValue { .. }
        | E::MissingWeight { .. }
        | E::WeightShape { .. }
        | E::WeightSource { .. } => Kind::BadFile,
        _ => Kind::Runtime,
    }
}

impl From<gollm_weights::Error> for CliError {
    fn from(error: gollm_weights::Error) -> Self {
        let kind = match (error.io_error(), error.without_path()) {
            (Some(error), _) => kind_of_io(error, Kind::BadFile),
            (_, gollm_weights::Error::OutOfMemory { .. }) => Kind::Resources,
            _ => Kind::BadFile,
        };
        Self::new(kind, with_causes(&error))
    }
}

impl From<gollm_tokenizer::Error> for CliError {
    fn from(error: gollm_tokenizer::Error) -> Self {
        use gollm_tokenizer::Error as E;
        let kind = match &error {
            E::VocabSizeTooSmall { .. } | E::VocabSizeTooLarge { .. } => Kind::Usage,
            E::Io { action, source, .. } if *action == "read" => kind_of_io(source, Kind::BadFile),
            E::Io { .. } => Kind::Resources,
            E::SpecialToken { .. }
            | E::Vocabulary { .. }
            | E::RankLine { .. }
            | E::Metadata { .. }
            | E::File { .. }
            | E::UnknownPattern { .. } => Kind::BadFile,
            _ => Kind::Runtime,
        };
        Self::new(kind, with_causes(&error))
    }
}

impl From<gollm_engine::Error> for CliError {
    fn from(error: gollm_engine::Error) -> Self {
        use gollm_engine::Error as E;
        let kind = match error {
            E::VocabularyMismatch { .. } | E::NoTokenizer => Kind::BadFile,
            E::Option { .. } | E::Sampler(_) => Kind::Usage,
            E::Transformer(error) => return error.into(),
            E::Tokenizer(error) => return error.into(),
            E::File(error) => return error.into(),
            E::InFile { path, source } => {
                return CliError::from(*source).context(path.display());
            }
            _ => Kind::Runtime,
        };
        Self::new(kind, with_causes(&error))
    }
}

impl From<gollm_chat::Error> for CliError {
    fn from(error: gollm_chat::Error) -> Self {
        use gollm_chat::Error as E;
        let kind = match error {
            E::Engine(error) => return error.into(),
            E::Io {
                action: "read",
                ref source,
                ..
            } => kind_of_io(source, Kind::BadFile),
            E::Io { .. } => Kind::Resources,
            E::Template { .. } | E::TemplateTooLong { .. } | E::Saved { .. } => Kind::BadFile,
            _ => Kind::Runtime,
        };
        Self::new(kind, with_causes(&error))
    }
}

impl From<gollm_hub::Error> for CliError {
    fn from(error: gollm_hub::Error) -> Self {
        use gollm_hub::ErrorKind as K;
        let kind = match error.kind() {
            K::Usage => Kind::Usage,
            K::BadFile => Kind::BadFile,
            K::Resources => Kind::Resources,
            K::Network | K::Interrupted => Kind::Runtime,
        };
        Self::new(kind, with_causes(&error))
    }
}
