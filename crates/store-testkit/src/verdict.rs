/// What came of checking a clause that was not broken. A broken clause panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the clause may not have applied to this store"]
pub enum Verdict {
    /// Nothing was seen that breaks the clause.
    Holds,
    /// The clause was not checked, for this reason: the store leaves out what the clause is about, or gives the kit no
    /// way to provoke it.
    NotApplicable(&'static str),
}
