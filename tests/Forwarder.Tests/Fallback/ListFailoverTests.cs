#pragma warning disable CS0618 // the flags of a command are of no interest here
using System.Text;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Tests.Feed;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>What becomes of stored events when another node takes the place of the one that had the list?</summary>
public sealed class ListFailoverTests
{
    private readonly FakeDatabase _old = FakeDatabase.Made();
    private readonly FakeDatabase _new = FakeDatabase.Made();
    private readonly RecordingLogger _log = new();
    private readonly List<string> _hints = [];
    private readonly RedisListStore _store;
    private FakeDatabase _now;
    private int _findsUntilMove = int.MaxValue;

    public ListFailoverTests()
    {
        _now = _old;
        _store = new RedisListStore("list", () => ValueTask.FromResult(Find()), _hints.Add, _log, new ListFence(), "list-term");
    }

    [Fact]
    public async Task What_had_not_got_to_the_new_node_is_stored_there_again()
    {
        await AppendAsync("a", "b", "c");
        _new.Entries.Add("a");
        _now = _new;
        Assert.Equal(3, await _store.CountAsync());
        Assert.Equal(["a", "b", "c"], _new.Entries);
        Assert.StartsWith(
            "Information 2305 the fallback storage is at new now; 2 events that had been stored at old, and had not got there,", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_is_replaced_during_the_append_has_stored_nothing()
    {
        await AppendAsync("a");
        _new.Entries.Add("a");
        _findsUntilMove = 1; // the append still finds the old node, and the look after it the new one
        Assert.Equal(new AppendResult(3, 0), await AppendAsync("b", "c"));
        Assert.Equal(["a", "b", "c"], _new.Entries);
    }

    [Fact]
    public async Task An_append_that_is_tried_again_asks_the_node_to_look_first()
    {
        await AppendAsync("a", "b");
        await _store.AppendAsync(Entries("a", "b"), 0, isRetry: true);
        Assert.Equal(["a", "b"], _old.Entries);
        await AppendAsync("a", "b");
        Assert.Equal(["a", "b", "a", "b"], _old.Entries);
    }

    [Fact]
    public async Task What_another_holder_may_have_sent_meanwhile_is_not_stored_again()
    {
        await AppendAsync("a", "b");
        _store.Forget();
        _now = _new;
        Assert.Equal(0, await _store.CountAsync());
        Assert.Empty(_new.Entries);
        Assert.Empty(_log.Lines);
        await AppendAsync("c");
        _now = _old;
        await _store.CountAsync();
        Assert.Equal(["a", "b", "c"], _old.Entries); // what it stores from then on, it does store again
    }

    [Fact]
    public async Task What_the_cap_has_dropped_is_not_stored_again()
    {
        await _store.AppendAsync(Entries("a", "b", "c", "d", "e"), cap: 2, isRetry: false);
        _now = _new;
        await _store.CountAsync();
        Assert.Equal(["d", "e"], _new.Entries);
    }

    [Fact]
    public async Task It_is_stored_again_in_steps_of_256_KiB_at_most_and_one_entry_more()
    {
        await AppendAsync(new string('x', (256 * 1024) - 1), "b", "c");
        _now = _new;
        await _store.CountAsync();
        Assert.Equal([2, 1], _new.Batches);
    }

    [Fact]
    public async Task It_is_stored_again_in_steps_of_512_entries_at_most()
    {
        await AppendAsync([.. Enumerable.Range(0, 1025).Select(n => $"e{n}")]);
        _now = _new;
        await _store.CountAsync();
        Assert.Equal([512, 512, 1], _new.Batches);
    }

    [Theory]
    [InlineData("MOVED 1 127.0.0.1:7001", true)]
    [InlineData("READONLY You can't write against a read only replica.", true)]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", false)]
    public async Task A_node_that_says_that_the_list_is_elsewhere_makes_the_topology_look(string error, bool isElsewhere)
    {
        _old.Error = new RedisServerException(error);
        var failure = await Assert.ThrowsAsync<StoreException>(() => AppendAsync("a"));
        Assert.Equal((true, isElsewhere, isElsewhere ? 1 : 0), (failure.IsRefusal, failure.IsPassing, _hints.Count));
    }

    [Theory]
    [InlineData("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")]
    [InlineData("LOADING Redis is loading the dataset in memory")]
    [InlineData("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")]
    public async Task A_node_that_is_busy_refuses_for_a_while_and_is_looked_for_nowhere_else(string error)
    {
        _old.Error = new RedisServerException(error);
        var failure = await Assert.ThrowsAsync<StoreException>(() => AppendAsync("a"));
        Assert.Equal((true, true, 0), (failure.IsRefusal, failure.IsPassing, _hints.Count));
    }

    [Fact]
    public async Task Where_no_other_node_can_take_its_place_the_list_is_looked_up_once_for_an_append()
    {
        var finds = 0;
        var place = new StorePlace("", _old.Database, CommandFlags.None);
        var store = new RedisListStore("list", Count, _hints.Add, _log, new ListFence(), "list-term");
        Assert.Equal(new AppendResult(1, 0), await store.AppendAsync(Entries("a"), 0, isRetry: false));
        Assert.Equal(1, finds);

        ValueTask<StorePlace> Count()
        {
            finds++;
            return ValueTask.FromResult(place);
        }
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("x", false)]
    public async Task A_read_brings_what_follows_and_nothing_where_the_node_says_that_the_front_is_another_one(string front, bool isRight)
    {
        await AppendAsync("a", "b", "c");
        var read = await _store.ReadAsync(1, new StoreEnds(Entries(front)[0], Entries(front)[0]), 10, 1000);
        Assert.Equal((3L, !isRight), (read.Length, read.IsOther));
        Assert.Equal(isRight ? (string[])["b", "c"] : [], read.Entries.Select(entry => Encoding.UTF8.GetString(entry.Span)));
    }

    [Theory]
    [InlineData("a", null, true)]
    [InlineData("a", 3L, true)]
    [InlineData("a", 4L, false)]
    [InlineData("x", null, false)]
    public async Task A_removal_takes_the_front_away_and_what_is_gone_from_there_is_not_stored_again(string front, long? lengthBefore, bool isRemoved)
    {
        await AppendAsync("a", "b", "c");
        Assert.Equal(new RemoveResult(isRemoved ? 1 : 3, isRemoved), await _store.RemoveAsync(Entries(front, "b"), lengthBefore));
        _now = _new;
        await _store.CountAsync();
        Assert.Equal(isRemoved ? (string[])["c"] : ["a", "b", "c"], _new.Entries);
    }

    private StorePlace Find()
    {
        if (_findsUntilMove-- == 0) _now = _new;
        return new StorePlace(_now == _old ? "old" : "new", _now.Database, CommandFlags.None);
    }

    private Task<AppendResult> AppendAsync(params string[] texts) => _store.AppendAsync(Entries(texts), 0, isRetry: false);

    private static ReadOnlyMemory<byte>[] Entries(params string[] texts) => [.. texts.Select(text => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text))];
}
