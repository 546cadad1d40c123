using System.Text;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>What do the scripts do in a real Redis, also when the list is not what it should be?</summary>
[Trait("Needs", "servers")]
public sealed class RedisListStoreTests : IAsyncLifetime
{
    private const string Key = "list";

    private RedisServer _redis = null!;
    private ConnectionMultiplexer _connection = null!;
    private RedisListStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_redis.Port}");
        var place = new StorePlace("", _connection.GetDatabase(), CommandFlags.None);
        _store = new RedisListStore(Key, () => ValueTask.FromResult(place), _ => { }, NullLogger.Instance, new ListFence(), "list-term");
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_batch_whose_answer_got_lost_is_appended_once_and_one_that_did_not_arrive_is_appended_at_its_retry()
    {
        Assert.Equal(new AppendResult(3, 0), await _store.AppendAsync(Entries("a", "b", "c"), 0, isRetry: false));
        Assert.Equal(new AppendResult(3, 0), await _store.AppendAsync(Entries("b", "c"), 0, isRetry: true));
        Assert.Equal(new AppendResult(5, 0), await _store.AppendAsync(Entries("x", "c"), 0, isRetry: true)); // its end alone is no proof
        Assert.Equal(["a", "b", "c", "x", "c"], await ListAsync());
    }

    [Fact]
    public async Task The_cap_drops_the_oldest_and_no_more_than_a_step_may()
    {
        var many = Entries([.. Enumerable.Range(0, 3000).Select(n => $"e{n}")]);
        Assert.Equal(new AppendResult(3000, 0), await _store.AppendAsync(many, 0, isRetry: false));
        Assert.Equal(new AppendResult(2001, 1000), await _store.AppendAsync(Entries("last"), 10, isRetry: false));
        Assert.Equal(new AppendResult(2000, 1), await _store.AppendAsync([], 2000, isRetry: false));
        Assert.Equal(["e1001", "e1002"], (await ListAsync())[..2]);
    }

    [Fact]
    public async Task A_read_brings_at_least_one_entry_and_ends_with_the_entries_or_the_bytes_that_were_asked_for()
    {
        await FillAsync("a", new string('b', 1000), "c", "d", "e");
        Assert.Equal(["a", new string('b', 1000), "c"], await ReadAsync(0, 3, 10_000));
        Assert.Equal(["a", new string('b', 1000)], await ReadAsync(0, 3, 100));
        Assert.Equal([new string('b', 1000)], await ReadAsync(1, 3, 1));
        Assert.Equal(["d", "e"], await ReadAsync(3, 10, 10_000));
        Assert.Empty(await ReadAsync(5, 10, 10_000));
    }

    [Theory]
    [InlineData("a", "c", true)]
    [InlineData("x", "c", false)] // the front is another one
    [InlineData("a", "x", false)] // somebody has cut off, or put in, between
    public async Task A_read_brings_nothing_when_what_lies_before_it_is_not_what_was_read_before(string first, string last, bool isRight)
    {
        await FillAsync("a", "b", "c", "d");
        var read = await _store.ReadAsync(3, new StoreEnds(Bytes(first), Bytes(last)), 10, 10_000);
        Assert.Equal((4, !isRight, isRight ? 1 : 0), (read.Length, read.IsOther, read.Entries.Count));
    }

    [Fact]
    public async Task A_read_behind_more_than_the_list_has_brings_nothing()
    {
        await FillAsync("a");
        Assert.True((await _store.ReadAsync(3, new StoreEnds(Bytes("a"), Bytes("c")), 10, 10_000)).IsOther);
        await _redis.CallAsync("DEL", Key);
        Assert.True((await _store.ReadAsync(1, new StoreEnds(Bytes("a"), Bytes("a")), 10, 10_000)).IsOther);
    }

    [Theory]
    [InlineData("a b", null, true)]
    [InlineData("a b", 4L, true)]
    [InlineData("a", null, true)]
    [InlineData("a b", 6L, false)] // another length than before the first try: that one may have done it
    [InlineData("b c", null, false)]
    [InlineData("a c", null, false)]
    public async Task Entries_are_removed_if_they_are_the_front_and_nothing_is_otherwise(string entries, long? lengthBefore, bool isDone)
    {
        await FillAsync("a", "b", "c", "d");
        var removed = entries.Split(' ');
        var result = await _store.RemoveAsync(Entries(removed), lengthBefore);
        Assert.Equal(new RemoveResult(isDone ? 4 - removed.Length : 4, isDone), result);
        Assert.Equal(((string[])["a", "b", "c", "d"])[(isDone ? removed.Length : 0)..], await ListAsync());
    }

    [Fact]
    public async Task Long_entries_are_known_by_how_they_begin()
    {
        string one = "1" + new string('k', 100_000), two = "2" + new string('k', 100_000);
        await FillAsync(one, two, "c");
        Assert.False((await _store.RemoveAsync(Entries(two), null)).IsRemoved);
        Assert.Equal(new RemoveResult(1, true), await _store.RemoveAsync(Entries(one, two), null));
    }

    private async Task FillAsync(params string[] entries) => await _store.AppendAsync(Entries(entries), 0, isRetry: false);

    private async Task<IEnumerable<string>> ReadAsync(long offset, int maxEntries, int maxBytes) =>
        (await _store.ReadAsync(offset, null, maxEntries, maxBytes)).Entries.Select(entry => Encoding.UTF8.GetString(entry.Span));

    private async Task<string[]> ListAsync() => [.. (await _redis.CallAsync("LRANGE", Key, "0", "-1")).Texts];

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static ReadOnlyMemory<byte>[] Entries(params string[] texts) => [.. texts.Select(Bytes)];
}
