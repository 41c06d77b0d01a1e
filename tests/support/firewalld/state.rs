//! A configuration as files: XML that `firewall-cmd --permanent` would write.

use std::collections::BTreeMap;
use std::path::Path;

/// A zone, policy, service, ipset, helper or ICMP type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object {
    pub(crate) attributes: BTreeMap<String, String>,
    /// Elements as they are written.
    pub(crate) elements: Vec<String>,
}

/// Folder and root element of each kind of object.
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("zones", "zone"),
    ("policies", "policy"),
    ("services", "service"),
    ("ipsets", "ipset"),
    ("helpers", "helper"),
    ("icmptypes", "icmptype"),
];

/// All of a configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// By folder and name.
    pub(crate) objects: BTreeMap<(&'static str, String), Object>,
    pub(crate) settings: BTreeMap<String, String>,
}

impl State {
    /// What firewalld comes with, of the kinds that commands change piece by piece.
    pub(crate) fn shipped(config: &Path) -> Self {
        let mut state = Self::default();
        for (folder, _) in KINDS {
            for entry in std::fs::read_dir(config.join(folder)).into_iter().flatten() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                state
                    .objects
                    .insert((folder, name), Object::parse(&text).unwrap());
            }
        }
        state
    }

    pub(crate) fn default_zone(&self) -> String {
        self.settings
            .get("DefaultZone")
            .cloned()
            .unwrap_or("public".into())
    }

    /// The files below `etc/firewalld`.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let settings = self.settings.iter();
        let settings: Vec<String> = settings.map(|(key, value)| format!("{key}={value}\n")).collect();
        let mut files = vec![(
            "etc/firewalld/firewalld.conf".to_owned(),
            format!("# settings\n{}", settings.concat()),
        )];
        for ((folder, name), object) in &self.objects {
            let root = KINDS.iter().find(|(known, _)| known == folder).unwrap().1;
            files.push((format!("etc/firewalld/{folder}/{name}.xml"), object.text(root)));
        }
        files
    }
}

impl Object {
    /// Reads a file. `None` if it is no XML.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let document = roxmltree::Document::parse(text.trim()).ok()?;
        let root = document.root_element();
        let attributes = root
            .attributes()
            .map(|one| (one.name().to_owned(), one.value().to_owned()));
        let elements = root.children().filter(roxmltree::Node::is_element);
        let elements = elements.filter(|one| !matches!(one.tag_name().name(), "short" | "description"));
        let input = document.input_text();
        Some(Self {
            attributes: attributes.collect(),
            elements: elements.map(|one| input[one.range()].to_owned()).collect(),
        })
    }

    fn text(&self, root: &str) -> String {
        let attributes = self.attributes.iter();
        let attributes: Vec<String> = attributes
            .map(|(key, value)| format!(" {key}=\"{value}\""))
            .collect();
        format!(
            "<{root}{}>\n{}\n</{root}>\n",
            attributes.concat(),
            self.elements.join("\n")
        )
    }
}
