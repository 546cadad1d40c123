using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>Where is the fallback storage now?</summary>
/// <param name="Name">The node that has it; another one after a failover. Empty where nobody can take its place.</param>
/// <param name="Database">How that node is reached.</param>
/// <param name="Flags">For every command: whether it may be sent on to where the node says.</param>
internal sealed record StorePlace(string Name, IDatabase Database, CommandFlags Flags);
