extension YAMLNode {
    /// What stands here, for messages: "must be a list, but is …".
    var words: String {
        switch content {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .refused: "refused"
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: "the text \(Quote.value(scalar.text))"
            case .null: "empty"
            case .boolean: "\(scalar.text), true or false to YAML"
            case .integer: "the number \(scalar.text)"
            case .otherNumber: "\(Quote.plain(scalar.text.prefix(60))), a number or date to some readers of YAML"
            }
        }
    }

    /// The text, or why there is none. A plain word that YAML may take for something else needs quotes.
    func text() throws(ValueRefusal) -> String {
        guard case .scalar(let scalar) = content else {
            throw ValueRefusal(sentence: "must be a text, but is \(words)")
        }
        switch scalar.kind {
        case .string: return scalar.text
        case .null: throw ValueRefusal(sentence: "must be a text, but is empty")
        case .boolean, .integer, .otherNumber:
            throw ValueRefusal(sentence: "must be a text, but is \(words): put it in quotes")
        }
    }

    /// The whole number, or why there is none.
    func integer() throws(ValueRefusal) -> Int {
        guard case .scalar(let scalar) = content, case .integer(let value) = scalar.kind else {
            throw ValueRefusal(sentence: "must be a whole number in plain decimal digits, but is \(words)")
        }
        return value
    }
}
