/// The members of a JSON object in the order in which they were written; no name occurs twice when the reader made it.
public struct JSONObject: Sendable, Equatable {
    /// A name and its value.
    public struct Member: Sendable {
        public let key: String
        public let value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// All members, in order.
    public let members: [Member]

    /// Wraps members as they are; whoever makes an object by hand answers for names that occur twice.
    public init(members: [Member]) {
        self.members = members
    }

    /// The value of the member with exactly these bytes as its name; a linear search, meant for small objects.
    public subscript(key: String) -> JSONValue? {
        members.first { $0.key.hasSameBytes(as: key) }?.value
    }

    /// Where in `members` a name of the program stands, by a linear search.
    func index(of key: StaticString) -> Int? {
        for index in members.indices where members[index].key.hasSameBytes(as: key) {
            return index
        }
        return nil
    }
}

extension JSONObject.Member: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        left.key.hasSameBytes(as: right.key) && left.value == right.value
    }
}
