using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>Where is the fallback storage now?</summary>
/// <param name="Name">The node that holds it; changes after a failover. Empty if no other node can take its place.</param>
/// <param name="Database">The connection to that node.</param>
/// <param name="Flags">Used for every command: they say whether the client library may follow a redirect.</param>
internal sealed record StorePlace(string Name, IDatabase Database, CommandFlags Flags);
