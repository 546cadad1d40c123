namespace KeyEvt.Forwarder.Events;

/// <summary>
/// Which classes of keyspace events are there? One bit for each class, named by its letter in <c>notify-keyspace-events</c>
/// (redis.io/docs/manual/keyspace-notifications).
/// </summary>
[Flags]
public enum EventClass : uint
{
    None = 0,

    /// <summary>g: commands that are not specific to one type: del, expire, rename ...</summary>
    Generic = 1 << 0,

    /// <summary>$: strings</summary>
    String = 1 << 1,

    /// <summary>l: lists</summary>
    List = 1 << 2,

    /// <summary>s: sets</summary>
    Set = 1 << 3,

    /// <summary>h: hashes</summary>
    Hash = 1 << 4,

    /// <summary>z: sorted sets</summary>
    SortedSet = 1 << 5,

    /// <summary>x: a key was deleted because its time to live was over</summary>
    Expired = 1 << 6,

    /// <summary>e: a key was deleted because of maxmemory</summary>
    Evicted = 1 << 7,

    /// <summary>t: streams</summary>
    Stream = 1 << 8,

    /// <summary>d: types of modules, and every event name that no other class has</summary>
    Module = 1 << 9,

    /// <summary>m: a key was read that does not exist; not part of A</summary>
    KeyMiss = 1 << 10,

    /// <summary>n: a key was created; not part of A</summary>
    New = 1 << 11,

    /// <summary>o: a value was overwritten (Redis 8); not part of A</summary>
    Overwritten = 1 << 12,

    /// <summary>c: a key changed its type (Redis 8); not part of A</summary>
    TypeChanged = 1 << 13,

    /// <summary>a: arrays (Redis 8.8)</summary>
    Array = 1 << 14,

    /// <summary>
    /// T: not a class itself. It asks for the events of the other classes together with the fields of the hash that they are about (Redis 8.8). No
    /// event has this bit.
    /// </summary>
    Fields = 1 << 15,

    /// <summary>What a user's letter A stands for: whatever it stands for at the server, at most g$lshzxetda. See <see cref="ServerEvents.Meant"/>.</summary>
    All = Generic | String | List | Set | Hash | SortedSet | Expired | Evicted | Stream | Module | Array,
}
