internal import SocketIO

/// One question that is being asked, for everybody who waits for its answer.
struct Question {
    struct Key: Hashable {
        let name: String
        let type: RecordType
        /// The questions of two groups differ; the question keeps the group, so the identity stays its own.
        let group: ObjectIdentifier
    }

    let key: Key
    let group: ServerGroup
    var schedule: TrySchedule
    /// When the next server is asked.
    let timer: SlotToken
    /// Tries that c-ares has not ended.
    var pending = 0
    var lookups: Set<Int> = []
}
