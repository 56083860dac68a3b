/// The questions that are being asked. Same questions are found by their key.
struct QuestionTable {
    private var questions: [Int: Question] = [:]
    private var identifiers: [Question.Key: Int] = [:]
    private var last = 0

    subscript(identifier: Int) -> Question? {
        get { questions[identifier] }
        set { questions[identifier] = newValue }
    }

    func identifier(of key: Question.Key) -> Int? { identifiers[key] }

    /// A number that no question had before.
    mutating func takeIdentifier() -> Int {
        last += 1
        return last
    }

    mutating func add(_ question: Question, as identifier: Int) {
        questions[identifier] = question
        identifiers[question.key] = identifier
    }

    mutating func remove(_ identifier: Int) -> Question? {
        guard let question = questions.removeValue(forKey: identifier) else { return nil }
        identifiers[question.key] = nil
        return question
    }
}
