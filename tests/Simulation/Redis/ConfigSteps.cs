using System.Globalization;
using KeyEvt.Forwarder.Agreement;
using StackExchange.Redis;

namespace KeyEvt.Simulation.Redis;

/// <summary>What do the scripts of the kept configuration do at a node? The same as their Lua, which the tests on real servers show.</summary>
internal static class ConfigSteps
{
    /// <exception cref="RedisServerException">The node answers with an error.</exception>
    public static RedisValue Read(VirtualNode node, string key)
    {
        ListSteps.Demand(node, isWrite: false);
        return node.Data.Strings.GetValueOrDefault(key);
    }

    /// <exception cref="RedisServerException">The node answers with an error.</exception>
    public static RedisResult Run(VirtualNode node, string script, string key, RedisValue[] arguments)
    {
        ListSteps.Demand(node);
        var kept = node.Data.Strings.GetValueOrDefault(key);
        var version = kept is null ? 0 : long.Parse(kept[..kept.IndexOf(' ', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
        var isRefused = script switch
        {
            RedisConfigStore.Write => kept is not null && version != (long)arguments[0],
            RedisConfigStore.Restore => kept is not null && version >= (long)arguments[0],
            _ => throw new InvalidOperationException("a script that the node does not know"),
        };
        if (!isRefused) node.SetString(key, (string)arguments[1]!);
        return RedisResult.Create((RedisValue)(isRefused ? 0 : 1));
    }
}
