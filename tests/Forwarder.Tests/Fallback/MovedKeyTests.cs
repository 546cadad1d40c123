using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>Is a key looked for where a node of a cluster says that it is?</summary>
public sealed class MovedKeyTests
{
    private readonly List<string> _opened = [];

    [Theory]
    [InlineData("MOVED 11963 10.0.0.2:7003", "10.0.0.2:7003")]
    [InlineData("MOVED 11963 :7003", "node:7003")]
    [InlineData("MOVED 11963 ?:7003", "node:7003")]
    [InlineData("Key has MOVED to Endpoint 10.0.0.2:7003 and hashslot 11963 but CommandFlags.NoRedirect was specified - redirect not followed for GET k. ", "10.0.0.2:7003")]
    [InlineData("MOVED 11963 redis.example:7003", "redis.example:7003")]
    [InlineData("READONLY You can't write against a read only replica.", null)]
    [InlineData("MOVED somewhere", null)]
    public async Task It_is_tried_where_the_error_says(string error, string? place)
    {
        var topology = new TopologyWatcher(UpstreamAddress.Parse("redis://u:p@node:6379"), new Feed.ScriptedNode(), TimeProvider.System, NullLogger.Instance);
        var upstream = UpstreamAddress.Parse("redis://u:p@node:6379");
        await using var database = new UpstreamDatabase(upstream, topology, () => null, TlsClient.OfSystem("--upstream"), "test", new BackgroundTasks(NullLogger.Instance), TimeProvider.System, NullLogger.Instance, OpenAsync);
        var key = new MovedKey(upstream, database, () => true);
        Assert.Equal(place is not null, key.TryFollow(error));
        await Assert.ThrowsAsync<IOException>(async () => await key.PlaceAsync());
        key.Forget();
        await Assert.ThrowsAsync<IOException>(async () => await key.PlaceAsync());
        Assert.Equal([place ?? "node:6379", "node:6379"], _opened);
    }

    private Task<IConnectionMultiplexer> OpenAsync(ConfigurationOptions options)
    {
        _opened.Add(options.EndPoints[0] is System.Net.DnsEndPoint name ? $"{name.Host}:{name.Port}" : options.EndPoints[0].ToString()!);
        throw new IOException("not here");
    }
}
