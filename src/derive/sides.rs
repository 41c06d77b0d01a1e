//! Who connects to whom in a row of a table.
//!
//! The row's own side is that of its hosts or component; the other is a source, consumer, scope or destination, or the
//! network. INVARIANT: one side at least is a role, since a row is checked on the hosts of roles.

use super::cell::name;
use super::cell::peer::{self, Otherwise, Peer, Peers};
use super::column::Column;
use super::table::{Reader, Refusal};

/// Both sides of a row, as far as cells say it.
pub(super) struct Sides {
    pub(super) from: Peers,
    pub(super) to: Peers,
    /// The text of the cell that leaves a side to the site.
    pub(super) meaning: String,
}

impl Reader<'_> {
    /// The machines or program whose row it is.
    fn local(&self) -> Result<Peers, Refusal> {
        let both = [Column::Hosts, Column::Component];
        for column in both {
            let Some(cell) = self.cell(column) else { continue };
            let text = cell.text();
            let list: Vec<&str> = if column == Column::Hosts {
                peer::parts_of(&text)
            } else {
                vec![&text]
            };
            let mut peers = Peers::default();
            for part in list {
                let is_all = ["all", "any", "*"].contains(&part.to_ascii_lowercase().as_str());
                let role = if is_all {
                    Some("node".to_owned())
                } else {
                    named(part, column)
                };
                let Some(role) = role else {
                    return Err(self.refusal(Some(cell), column, format!("`{part}` is no name")));
                };
                if !peers.list.contains(&Peer::Role(role.clone())) {
                    peers.list.push(Peer::Role(role));
                }
            }
            return Ok(peers);
        }
        let of_section = self.setting.section.and_then(name::role);
        let role = of_section.unwrap_or_else(|| "server".to_owned());
        Ok(Peers {
            guesses: vec![format!(
                "no column says whose port it is: taken for the role `{role}`"
            )],
            list: vec![Peer::Role(role)],
            ..Peers::default()
        })
    }

    /// One side that a cell of this column names.
    fn remote(&self, column: Column) -> Result<Option<(Peers, String)>, Refusal> {
        let Some(cell) = self.cell(column) else {
            return Ok(None);
        };
        let text = cell.text();
        let otherwise = if column == Column::Scope || column == Column::Network {
            Otherwise::Zone
        } else {
            Otherwise::Role
        };
        match peer::read(&text, otherwise, self.setting.known) {
            Ok(peers) => Ok(Some((peers, text))),
            Err(reason) => Err(self.refusal(Some(cell), column, reason)),
        }
    }

    /// Both sides, for connections that the row's own side accepts, or opens.
    pub(super) fn sides(&self, inbound: bool) -> Result<Sides, Refusal> {
        let columns = self.setting.columns;
        let names_both = columns.has(Column::Source) && columns.has(Column::Destination);
        if names_both
            && !columns.has(Column::Hosts)
            && let (Some(from), Some(to)) = (self.remote(Column::Source)?, self.remote(Column::Destination)?)
        {
            let meaning = if from.0.open { from.1 } else { to.1 };
            return self.checked(Sides {
                from: from.0,
                to: to.0,
                meaning,
            });
        }
        let local = self.local()?;
        if inbound {
            let (from, meaning) = self.source()?;
            return self.checked(Sides {
                from,
                to: local,
                meaning,
            });
        }
        let to = match self.remote(Column::Destination)? {
            Some(found) => Some(found),
            None => match self.remote(Column::Source)? {
                Some(found) => Some(found),
                None => self.remote(Column::Scope)?,
            },
        };
        let (mut to, meaning) = to.unwrap_or_else(|| {
            let open = Peers {
                open: true,
                ..Peers::default()
            };
            (open, "hosts that the table does not name".to_owned())
        });
        if to.list == [Peer::This] {
            return self.checked(Sides {
                from: to,
                to: local,
                meaning,
            });
        }
        // A name that the document has nowhere else is no host of the site: the site says where it is.
        if !to.guesses.is_empty() {
            let text = name::quotable(&meaning);
            to = Peers {
                open: true,
                guesses: vec![format!("`{text}` is left to the site")],
                ..Peers::default()
            };
        }
        self.checked(Sides {
            from: local,
            to,
            meaning,
        })
    }

    /// Who connects to the row's own side.
    fn source(&self) -> Result<(Peers, String), Refusal> {
        let network = self.remote(Column::Network).ok().flatten();
        let external = network
            .clone()
            .filter(|(peers, _)| peers.list == [Peer::Zone("external".to_owned())]);
        let source = match (self.remote(Column::Source), &external) {
            // Whoever they are, they come from outside.
            (Err(_), Some((zone, _))) => {
                let mut peers = zone.clone();
                let text = self.text(Column::Source);
                peers.guesses.push(format!(
                    "`{}` are taken for the zone `external`",
                    name::quotable(&text)
                ));
                return Ok((peers, text));
            }
            (found, _) => found?,
        };
        if let Some((mut peers, text)) = source {
            if let (false, Some((zone, _))) = (peers.guesses.is_empty(), external) {
                peers = zone;
                peers.guesses.push(format!(
                    "`{}` are taken for the zone `external`",
                    name::quotable(&text)
                ));
            }
            return Ok((peers, text));
        }
        let direction = self.text(Column::Direction);
        let from_direction = direction
            .split_once("from ")
            .map(|(_, rest)| rest.trim_end_matches([')', '.']).to_owned());
        if let Some(found) = self.remote(Column::Scope)?.or(external) {
            return Ok(found);
        }
        let host = [Peer::Zone("host".to_owned())];
        if let Some((mut peers, text)) =
            network.filter(|(peers, _)| from_direction.is_none() && peers.list != host)
        {
            peers.guesses.push(format!(
                "those in the network `{}` are taken to be who connects",
                name::quotable(&text)
            ));
            return Ok((peers, text));
        }
        let zone =
            from_direction.and_then(|text| peer::read(&text, Otherwise::Zone, self.setting.known).ok());
        let unsaid = || Peers {
            list: vec![Peer::Zone("client".to_owned())],
            guesses: vec!["the table does not say who connects: taken for a zone `client`".to_owned()],
            ..Peers::default()
        };
        Ok((zone.unwrap_or_else(unsaid), direction))
    }

    /// A row that no side binds to hosts of the site is checked nowhere.
    fn checked(&self, sides: Sides) -> Result<Sides, Refusal> {
        let is_role = |peer: &Peer| matches!(peer, Peer::Role(_));
        if !sides.from.list.iter().chain(&sides.to.list).any(is_role) {
            let reason = "neither side is a kind of host of the site".to_owned();
            return Err(self.refusal(None, Column::Hosts, reason));
        }
        if sides.to.list.contains(&Peer::This) {
            let reason = "the side that accepts is called the same host".to_owned();
            return Err(self.refusal(self.cell(Column::Destination), Column::Destination, reason));
        }
        Ok(sides)
    }
}

fn named(text: &str, column: Column) -> Option<String> {
    if column == Column::Hosts {
        name::role(text)
    } else {
        name::short(text, 4)
    }
}
