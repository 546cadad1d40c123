using System.Text;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>What does a real Redis do with the steps of a program that is no longer the holder of the list?</summary>
[Trait("Needs", "servers")]
public sealed class ListFenceTests : IAsyncLifetime
{
    private const string Key = "list{7}";
    private const string TermKey = "list-term{7}";
    private const long Largest = long.MaxValue;

    private readonly ListFence _fence = new();
    private RedisServer _redis = null!;
    private ConnectionMultiplexer _connection = null!;
    private RedisListStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_redis.Port}");
        var place = new StorePlace("", _connection.GetDatabase(), CommandFlags.None);
        _store = new RedisListStore(Key, () => ValueTask.FromResult(place), _ => { }, NullLogger.Instance, _fence, TermKey);
        await _redis.CallAsync("RPUSH", Key, "a", "b", "c");
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
    }

    public static TheoryData<string> Steps => ["append", "trim", "read", "remove", "count"];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Each_step_does_its_work_and_leaves_its_term(string step)
    {
        _fence.Raise(5);
        await DoAsync(step);
        Assert.Equal("5", await TermAsync());
        await DoAsync("count"); // the same term
        string[] expected = step switch { "append" => ["a", "b", "c", "d"], "trim" => ["b", "c"], "remove" => ["b", "c"], _ => ["a", "b", "c"] };
        Assert.Equal(expected, await ListAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_step_with_a_lower_term_is_refused_and_changes_nothing(string step)
    {
        await _redis.CallAsync("SET", TermKey, "6");
        _fence.Raise(5);
        await AssertRefusedAsync(step, by: 6);
        Assert.Equal("6", await TermAsync());
        Assert.Equal(["a", "b", "c"], await ListAsync());
    }

    [Theory]
    [InlineData("5", 6)]
    [InlineData("9", 10)] // more digits are more, whatever the first one is
    [InlineData("9223372036854775806", Largest)]
    [InlineData("no number", 3)]
    [InlineData("", 3)]
    [InlineData("-7", 3)]
    public async Task A_higher_term_takes_over_and_so_does_any_in_the_place_of_what_is_no_term(string there, long term)
    {
        await _redis.CallAsync("SET", TermKey, there);
        _fence.Raise(term);
        Assert.Equal(3, await _store.CountAsync());
        Assert.Equal(term.ToString(System.Globalization.CultureInfo.InvariantCulture), await TermAsync());
    }

    [Theory]
    [InlineData(Largest - 1)] // the numbers of Lua are the same for both
    [InlineData(999999999999999999)]
    [InlineData(9)]
    public async Task Terms_of_19_digits_are_told_apart(long term)
    {
        await _redis.CallAsync("SET", TermKey, "9223372036854775807");
        _fence.Raise(term);
        await AssertRefusedAsync("append", by: Largest);
    }

    [Fact]
    public async Task A_number_that_is_larger_than_any_term_refuses_and_is_nobodys()
    {
        await _redis.CallAsync("SET", TermKey, "9223372036854775808");
        _fence.Raise(Largest);
        await AssertRefusedAsync("append", by: null);
    }

    [Fact]
    public async Task Another_kind_of_value_under_the_terms_key_is_a_refusal_like_others()
    {
        await _redis.CallAsync("RPUSH", TermKey, "x");
        _fence.Raise(5);
        var refusal = await Assert.ThrowsAsync<StoreException>(() => DoAsync("append"));
        Assert.True(refusal is { IsRefusal: true, FencedBy: null });
        Assert.Contains("WRONGTYPE", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["a", "b", "c"], await ListAsync());
    }

    [Fact]
    public async Task A_Redis_without_memory_refuses_new_entries_and_lets_a_new_holder_read_and_remove()
    {
        await _redis.CallAsync("CONFIG", "SET", "maxmemory", "1");
        _fence.Raise(5);
        Assert.Contains("OOM", (await Assert.ThrowsAsync<StoreException>(() => DoAsync("append"))).Message, StringComparison.Ordinal);
        await DoAsync("count");
        await DoAsync("read");
        await DoAsync("remove");
        Assert.Equal(["b", "c"], await ListAsync());
        await DoAsync("trim");
        Assert.Equal(["b", "c"], await ListAsync());
    }

    private async Task DoAsync(string step)
    {
        switch (step)
        {
            case "append": await _store.AppendAsync([Bytes("d")], 0, isRetry: false); break;
            case "trim": await _store.AppendAsync([], 2, isRetry: false); break;
            case "read": Assert.NotEmpty((await _store.ReadAsync(0, null, 10, 1000)).Entries); break;
            case "remove": Assert.True((await _store.RemoveAsync([Bytes("a")], null)).IsRemoved); break;
            default: await _store.CountAsync(); break;
        }
    }

    private async Task AssertRefusedAsync(string step, long? by)
    {
        var refusal = await Assert.ThrowsAsync<StoreException>(() => DoAsync(step));
        Assert.Equal((true, false, by), (refusal.IsRefusal, refusal.IsPassing, refusal.FencedBy));
        Assert.StartsWith("the fallback storage belongs to another member of the group: list-term{7} says ", refusal.Message, StringComparison.Ordinal);
    }

    private async Task<string> TermAsync() => (await _redis.CallAsync("GET", TermKey)).Text;

    private async Task<string[]> ListAsync() => [.. (await _redis.CallAsync("LRANGE", Key, "0", "-1")).Texts];

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
