//! Model files of a repository: whole ones, and those that are split into parts.

use std::collections::{BTreeMap, BTreeSet};

use crate::choice::Listed;
use crate::display::name_and_size;
use crate::file_kinds::{PartName, has_type, is_model};
use crate::names::FileName;

/// How many missing files a message names.
const N_SHOWN: usize = 3;

/// A model that is one file, or several parts of one.
#[derive(Debug, Clone)]
pub(crate) struct Model<'a> {
    /// What is there of it; parts in order.
    pub(crate) files: Vec<&'a Listed>,
    /// What all parts are called, for a model that has some.
    parts: Option<PartName<'a>>,
}

/// Every model file, in the order of the list; parts of one model together, at the place of the
/// first.
pub(crate) fn models(files: &[Listed]) -> Vec<Model<'_>> {
    let mut models: Vec<Model<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for file in files.iter().filter(|file| is_model(&file.name)) {
        let parts = PartName::of(file.name.as_str());
        let key = parts.map(|part| (part.prefix, part.count));
        let place = key.map(|key| *places.entry(key).or_insert(models.len()));
        match place.and_then(|place| models.get_mut(place)) {
            Some(model) => model.files.push(file),
            None => models.push(Model {
                files: vec![file],
                parts,
            }),
        }
    }
    for model in &mut models {
        // Both numbers have five digits, so the order of names is theirs.
        model.files.sort_by_key(|file| file.name.as_str());
    }
    models
}

impl Model<'_> {
    /// Whether everything is there.
    pub(crate) fn is_complete(&self) -> bool {
        // No name is in a list twice, and no number is above the count.
        self.parts.is_none_or(|part| part.count == self.files.len())
    }

    /// Whether it is one file.
    pub(crate) fn is_one_file(&self) -> bool {
        self.parts.is_none_or(|part| part.count == 1)
    }

    /// Whether this file is the model or a part of it.
    pub(crate) fn has_file(&self, name: &FileName) -> bool {
        self.files.iter().any(|file| file.name == *name)
    }

    /// Whether its name has this type as a word.
    pub(crate) fn has_type(&self, dtype: &str) -> bool {
        let first = self.files.first().map(|file| file.name.as_str());
        let name = self.parts.map(|part| part.prefix).or(first);
        name.is_some_and(|name| has_type(name, dtype))
    }

    /// Which parts are missing, for a message: how many, and the names of the first.
    pub(crate) fn missing(&self) -> String {
        let Some(part) = self.parts else {
            return String::new();
        };
        let here: BTreeSet<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        let missing = (1..=part.count).map(|number| part.name(number));
        let missing = missing.filter(|name| !here.contains(name.as_str()));
        let shown: Vec<String> = missing.take(N_SHOWN).collect();
        let n_missing = part.count - self.files.len();
        let more = if n_missing > shown.len() { " …" } else { "" };
        let of = part.count;
        format!(
            "{n_missing} of {of} parts are missing: {}{more}",
            shown.join(", ")
        )
    }

    /// The name of what is opened, how many parts it has and how long it is.
    pub(crate) fn name_and_size(&self) -> String {
        let first = self.files.first().map(|file| file.name.as_str());
        let mut name = first.unwrap_or_default().to_owned();
        if let Some(part) = self.parts.filter(|part| part.count > 1) {
            name.push_str(&format!(" ({} parts)", part.count));
        }
        let sizes: Option<Vec<u64>> = self.files.iter().map(|file| file.size).collect();
        let size = sizes.map(|sizes| sizes.into_iter().fold(0, u64::saturating_add));
        name_and_size(&name, size)
    }
}

#[cfg(test)]
mod tests {
    use crate::choice::{Kind, Listed, choose};
    use crate::error::Error;
    use crate::names::FileName;

    /// What is chosen: the file to open, and all of them.
    fn chosen(names: &[&str], choice: Option<&str>) -> Result<(String, Vec<String>), Error> {
        let file = |name: &&str| Listed {
            name: name.parse().unwrap(),
            size: None,
        };
        let files: Vec<Listed> = names.iter().map(file).collect();
        let choice: Option<FileName> = choice.map(|choice| choice.parse().unwrap());
        let chosen = choose("a/b", &files, choice.as_ref())?;
        let Kind::File(first) = chosen.kind else {
            panic!("{chosen:?}");
        };
        let names = chosen.files.iter().map(|name| name.as_str().to_owned());
        Ok((first.as_str().to_owned(), names.collect()))
    }

    const PARTS: [&str; 3] = [
        "q/m-Q4_K_M-00001-of-00003.gguf",
        "q/m-Q4_K_M-00002-of-00003.gguf",
        "q/m-Q4_K_M-00003-of-00003.gguf",
    ];

    #[test]
    fn parts_are_one_model_whose_first_is_opened() {
        let all = PARTS.map(str::to_owned).to_vec();
        let backwards = [PARTS[2], "README.md", PARTS[0], PARTS[1]];
        for choice in [None, Some("Q4_K_M"), Some(PARTS[0]), Some(PARTS[1])] {
            for names in [&PARTS[..], &backwards] {
                let (first, files) = chosen(names, choice).unwrap();
                assert_eq!((first.as_str(), &files), (PARTS[0], &all), "{choice:?}");
            }
        }
        let one = "m-00001-of-00001.gguf";
        assert_eq!(chosen(&[one], None).unwrap().0, one);
    }

    #[test]
    fn missing_parts_are_named_and_never_passed_over() {
        for choice in [None, Some("q4_k_m"), Some(PARTS[0])] {
            let message = chosen(&PARTS[..1], choice).unwrap_err().to_string();
            let missing = format!("2 of 3 parts are missing: {}, {}", PARTS[1], PARTS[2]);
            assert!(message.contains(&missing), "{message}");
        }
        let many = chosen(&["m-00007-of-99999.gguf"], None).unwrap_err();
        let expected = "99998 of 99999 parts are missing: m-00001-of-99999.gguf, \
                        m-00002-of-99999.gguf, m-00003-of-99999.gguf …";
        assert!(many.to_string().contains(expected), "{many}");
        // A whole model beside them is all that there is.
        let names = [PARTS[0], "m-Q8_0.gguf"];
        assert_eq!(chosen(&names, None).unwrap().0, "m-Q8_0.gguf");
    }

    #[test]
    fn parts_of_other_models_do_not_mix() {
        let names = [
            "m-Q4_0-00001-of-00002.gguf",
            "m-Q4_0-00002-of-00003.gguf",
            "m-Q8_0-00002-of-00002.gguf",
            "x/m-Q4_0-00002-of-00002.gguf",
        ];
        for choice in [None, Some("Q4_0"), Some("Q8_0")] {
            let error = chosen(&names, choice).unwrap_err();
            assert!(matches!(error, Error::MissingParts { .. }), "{error}");
        }
    }

    #[test]
    fn of_one_type_the_whole_file_is_taken_and_without_a_type_there_is_a_choice() {
        let names = [PARTS[0], PARTS[1], PARTS[2], "m-Q4_K_M.gguf"];
        assert_eq!(chosen(&names, Some("Q4_K_M")).unwrap().0, "m-Q4_K_M.gguf");
        assert_eq!(chosen(&names, Some(PARTS[0])).unwrap().1.len(), 3);
        let error = chosen(&names, None).unwrap_err();
        assert!(matches!(error, Error::Ambiguous { .. }), "{error}");
    }
}
