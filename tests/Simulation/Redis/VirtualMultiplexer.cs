using System.Reflection;
using StackExchange.Redis;

namespace KeyEvt.Simulation.Redis;

/// <summary>Stands for the client library's connection, as far as the engine uses it.</summary>
#pragma warning disable CA1852 // the proxy that the framework makes is derived from it
internal class VirtualMultiplexer : DispatchProxy
{
    private ListConnection _connection = null!;
    private IDatabase _database = null!;

    public static IConnectionMultiplexer To(ListConnection connection)
    {
        var multiplexer = Create<IConnectionMultiplexer, VirtualMultiplexer>();
        (((VirtualMultiplexer)multiplexer)._connection, ((VirtualMultiplexer)multiplexer)._database) = (connection, VirtualDatabase.Of(connection));
        return multiplexer;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        "get_IsConnected" => _connection.IsConnected,
        "GetDatabase" => _database,
        "CloseAsync" => Task.CompletedTask,
        "DisposeAsync" => ValueTask.CompletedTask,
        var name when name.StartsWith("add_", StringComparison.Ordinal) => null,
        var name => throw new NotSupportedException($"the engine calls {name}, which the simulation does not have"),
    };
}
