using System.Reflection;
using StackExchange.Redis;

namespace KeyEvt.Simulation.Redis;

/// <summary>Stands for the client library's commands, as far as the engine uses them.</summary>
#pragma warning disable CA1852 // the proxy that the framework makes is derived from it
internal class VirtualDatabase : DispatchProxy
{
    private ListConnection _connection = null!;

    public static IDatabase Of(ListConnection connection)
    {
        var database = Create<IDatabase, VirtualDatabase>();
        ((VirtualDatabase)database)._connection = connection;
        return database;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => (targetMethod!.Name, args) switch
    {
        ("ScriptEvaluateAsync", [string script, RedisKey[] { Length: 1 } keys, RedisValue[] arguments, ..]) => _connection.CallAsync(node => ConfigSteps.Run(node, script, (string)keys[0]!, arguments)),
        ("ScriptEvaluateAsync", [string script, RedisKey[] keys, RedisValue[] arguments, ..]) => _connection.CallAsync(node => ListSteps.Run(node, script, keys, arguments)),
        ("StringGetAsync", [RedisKey key, ..]) => _connection.CallAsync(node => ConfigSteps.Read(node, (string)key!)),
        ("ListLengthAsync", [RedisKey key, ..]) => _connection.CallAsync(node => (long)node.Data.List((string)key!).Count),
        ("ListGetByIndexAsync", [RedisKey key, long index, ..]) => _connection.CallAsync(node => At(node, (string)key!, index)),
        var (name, _) => throw new NotSupportedException($"the engine calls {name}, which the simulation does not have"),
    };

    private static RedisValue At(VirtualNode node, string key, long index)
    {
        var list = node.Data.List(key);
        var at = index < 0 ? list.Count + index : index;
        return at >= 0 && at < list.Count ? list[(int)at] : RedisValue.Null;
    }
}
