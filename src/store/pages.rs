//! All rows of a table, many to a message.
//!
//! Rows travel one by one from the thread of SQLite, each of their values in memory of its own, and that takes longer than
//! to make objects of them. So the database itself writes a page of rows into one text, which is taken apart here. Pages
//! follow one another by key, and while one is read the database makes the next.

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe};

/// Rows of a page: so many that a message costs little beside them, and so few that a page is small.
const ROWS: usize = 512;

/// The longest content in bytes that is written into a page. What is longer is read by itself.
const WIDE: usize = 65_536;

/// A table whose rows are found by kind and identifier.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// The rows that are meant; `$3` is what the caller has compared with.
    pub(super) only: &'static str,
    /// The column that may be long. It is never null.
    pub(super) content: &'static str,
    /// The other columns that are asked for.
    pub(super) others: &'static [&'static str],
}

/// A row: kind, identifier, content, and the other columns.
pub(super) type Row<'p, const N: usize> = (&'p str, &'p str, &'p str, [Option<&'p str>; N]);

impl Table {
    /// Hands every row over, in the order of kinds and identifiers but for those with a long content, which come last. Pages
    /// fit together within a transaction only.
    pub(super) async fn each<const N: usize>(
        &self,
        connection: &mut SqliteConnection,
        bound: &str,
        mut hand_over: impl FnMut(Row<'_, N>) + Send,
    ) -> Result<(), sqlx::Error> {
        let sql = self.page_text();
        let mut long = Vec::new();
        let mut next = fetch(connection, &sql, ["", "", bound]).await?;
        while let Some(page) = next.take() {
            let rows = unpack::<N>(&page)?;
            let following = async {
                match rows.last() {
                    Some((kind, id, ..)) if rows.len() == ROWS => fetch(connection, &sql, [kind, id, bound]).await,
                    _ => Ok(None),
                }
            };
            let handed_over = async {
                for &(kind, id, content, others) in &rows {
                    match content {
                        Some(content) => hand_over((kind, id, content, others)),
                        None => long.push((kind.to_owned(), id.to_owned(), others.map(|text| text.map(str::to_owned)))),
                    }
                }
            };
            next = futures_util::join!(following, handed_over).0?;
        }
        let alone = format!("SELECT {} FROM {} WHERE kind = $1 AND id = $2 AND {}", self.content, self.name, self.only);
        for (kind, id, others) in &long {
            let content = fetch(connection, &alone, [kind, id, bound]).await?.ok_or(sqlx::Error::RowNotFound)?;
            hand_over((kind, id, &content, others.each_ref().map(Option::as_deref)));
        }
        Ok(())
    }

    /// The statement that writes a page: for each row the lengths of its columns, and then the columns.
    fn page_text(&self) -> String {
        let Self { name, only, content, others } = self;
        let short = format!("CASE WHEN octet_length({content}) <= {WIDE} THEN {content} END AS content");
        let columns: Vec<&str> = ["kind", "id", "content"].iter().chain(*others).copied().collect();
        let length = |column: &&str| format!("COALESCE(CAST(octet_length({column}) AS TEXT), '{NULL}') || '{END}'");
        let lengths: Vec<String> = columns.iter().map(length).collect();
        let values: Vec<String> = columns.iter().map(|column| format!("COALESCE({column}, '')")).collect();
        let others: String = others.iter().map(|column| format!(", {column}")).collect();
        format!(
            "SELECT string_agg({} || {}, '') FROM (SELECT kind, id, {short}{others} FROM {name} \
             WHERE (kind, id) > ($1, $2) AND {only} ORDER BY kind, id LIMIT {ROWS})",
            lengths.join(" || "),
            values.join(" || "),
        )
    }
}

/// What stands for the length of what is not there.
const NULL: &str = "-";

/// What ends a length.
const END: char = ',';

async fn fetch(connection: &mut SqliteConnection, sql: &str, bound: [&str; 3]) -> Result<Option<String>, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    bound.iter().try_for_each(|text| arguments.add(*text)).map_err(sqlx::Error::Encode)?;
    let query = sqlx::query_scalar_with::<_, Option<String>, _>(AssertSqlSafe(sql), arguments);
    Ok(query.fetch_optional(connection).await?.flatten())
}

/// A row as it is in a page, where a long content is left out.
type Packed<'p, const N: usize> = (&'p str, &'p str, Option<&'p str>, [Option<&'p str>; N]);

/// Takes a page apart.
fn unpack<const N: usize>(mut page: &str) -> Result<Vec<Packed<'_, N>>, sqlx::Error> {
    const BROKEN: &str = "a page of rows does not have the lengths that it tells";
    let mut rows = Vec::with_capacity(ROWS);
    while !page.is_empty() {
        let (row, rest) = unpack_row(page).ok_or_else(|| sqlx::Error::Decode(BoxDynError::from(BROKEN)))?;
        rows.push(row);
        page = rest;
    }
    Ok(rows)
}

fn unpack_row<const N: usize>(page: &str) -> Option<(Packed<'_, N>, &str)> {
    let mut rest = page;
    let mut length = || {
        let (length, behind) = rest.split_once(END)?;
        rest = behind;
        if length == NULL { Some(None) } else { length.parse::<usize>().ok().map(Some) }
    };
    let (kind, id, content) = (length()?, length()?, length()?);
    let mut lengths = [None; N];
    for other in &mut lengths {
        *other = length()?;
    }
    let mut column = |length: Option<usize>| {
        let Some(length) = length else { return Some(None) };
        let (column, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some(Some(column))
    };
    let (kind, id, content) = (column(kind)??, column(id)??, column(content)?);
    let mut others = [None; N];
    for (text, length) in others.iter_mut().zip(lengths) {
        *text = column(length)?;
    }
    Some(((kind, id, content, others), rest))
}

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};

    use super::*;

    const THINGS: Table = Table { name: "thing", only: "target = $3", content: "doc", others: &["owner", "number"] };

    type Thing = (String, String, String, [Option<String>; 2]);

    /// A table of things, some of another target.
    async fn things(rows: &[Thing]) -> SqliteConnection {
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        let table = "CREATE TABLE thing (target TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL, \
                     owner TEXT, number INTEGER NOT NULL, PRIMARY KEY (target, kind, id)) STRICT, WITHOUT ROWID";
        connection.execute(table).await.unwrap();
        for (kind, id, doc, [owner, number]) in rows {
            for (target, doc) in [("ours", &**doc), ("theirs", "another")] {
                let insert = sqlx::query("INSERT INTO thing VALUES ($1, $2, $3, $4, $5, $6)");
                let insert =
                    insert.bind(target).bind(kind).bind(id).bind(doc).bind(owner).bind(number.as_ref().map(|_| 7));
                insert.execute(&mut connection).await.unwrap();
            }
        }
        connection
    }

    async fn read(connection: &mut SqliteConnection) -> Result<Vec<Thing>, sqlx::Error> {
        let mut found = Vec::new();
        let hand_over = |(kind, id, content, others): Row<'_, 2>| {
            found.push((
                kind.to_owned(),
                id.to_owned(),
                content.to_owned(),
                others.map(|text| text.map(str::to_owned)),
            ));
        };
        THINGS.each(connection, "ours", hand_over).await?;
        found.sort();
        Ok(found)
    }

    fn thing(id: &str, doc: &str, owner: Option<&str>) -> Thing {
        ("kind".to_owned(), id.to_owned(), doc.to_owned(), [owner.map(str::to_owned), Some("7".to_owned())])
    }

    #[tokio::test]
    async fn every_row_comes_once_whatever_is_in_it() {
        let long = "\u{1F980}".repeat(WIDE);
        let fits = "a".repeat(WIDE);
        let rows = [
            thing("", "", Some("")),
            thing("3,4,-,", "{\"a\":\"1,2,\"}", None),
            thing("long", &long, Some("owner")),
            thing("long but fits", &fits, None),
            thing("\u{1F980}\u{1e}\n'", "\u{0}", Some("\u{1F980}")),
        ];
        let mut expected = rows.to_vec();
        expected.sort();
        assert_eq!(read(&mut things(&rows).await).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn pages_follow_one_another_to_the_end() {
        for count in [0, 1, ROWS - 1, ROWS, ROWS + 1, 7 * ROWS + 3] {
            let rows: Vec<Thing> = (0..count).map(|number| thing(&format!("{number:06}"), "{}", None)).collect();
            assert_eq!(read(&mut things(&rows).await).await.unwrap(), rows, "{count}");
        }
    }

    #[tokio::test]
    async fn what_is_no_text_is_an_error() {
        let mut connection = things(&[thing("a", "b", None)]).await;
        connection.execute("UPDATE thing SET doc = CAST(x'ff' AS TEXT)").await.unwrap();
        assert!(read(&mut connection).await.is_err());
    }

    #[test]
    fn a_page_that_does_not_fit_its_lengths_is_an_error() {
        assert_eq!(unpack::<0>("1,2,-,abc").unwrap(), [("a", "bc", None, [])]);
        for broken in ["1,2,3,abc", "-,2,1,abc", "1,1,x,abc", "1,1", "1,1,1,a\u{e9}b", "abc"] {
            assert!(unpack::<0>(broken).is_err(), "{broken}");
        }
    }
}
