/// What came of one step.
struct StepResult {
    /// nil: the step is done.
    var ending: DialogEnding?
    /// Why it failed, where the ending does not tell.
    var detail: String?
    /// Where the match ended, of a step that expects.
    var end = 0
    /// The groups of the match, of a step with a pattern.
    var groups: [Range<Int>?]?
    /// The step whose pattern matched although it must not; `ending` is `rejected`.
    var rejectingStep: Int?
    /// How much was sent, of a step that sends.
    var sentCount = 0
}
