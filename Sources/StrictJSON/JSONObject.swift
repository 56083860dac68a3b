/// The members of a JSON object in the order in which they were written; no name occurs twice when the reader made it.
package struct JSONObject: Sendable, Equatable {
    /// A name and its value.
    package struct Member: Sendable {
        package let key: String
        package let value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// All members, in order.
    package let members: [Member]

    /// Wraps members as they are; whoever makes an object by hand answers for names that occur twice.
    package init(members: [Member]) {
        self.members = members
    }

    /// The value of the member with exactly these bytes as its name; a linear search, meant for small objects.
    package subscript(key: String) -> JSONValue? {
        index(of: key).map { members[$0].value }
    }

    /// Where in `members` the name stands, by a linear search.
    func index(of key: String) -> Int? {
        for index in members.indices where members[index].key.hasSameBytes(as: key) {
            return index
        }
        return nil
    }
}

extension JSONObject.Member: Equatable {
    package static func == (left: Self, right: Self) -> Bool {
        left.key.hasSameBytes(as: right.key) && left.value == right.value
    }
}
