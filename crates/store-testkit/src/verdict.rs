/// The result of checking a clause that was not broken. A broken clause panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the clause may not have applied to this store"]
pub enum Verdict {
    /// The kit saw nothing that breaks the clause.
    Holds,
    /// The clause was not checked, for this reason. Either the store leaves out the subject of the clause, or the kit
    /// has no way to provoke it.
    NotApplicable(&'static str),
}
