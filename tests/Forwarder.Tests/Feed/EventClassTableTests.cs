using System.Text;
using KeyEvt.Forwarder.Events;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Does every event name have the class that each kind of server gives it?</summary>
public sealed class EventClassTableTests
{
    private static readonly EventClassTable[] AllServers = [EventClassTable.Redis, EventClassTable.RedisWithArrays, EventClassTable.Valkey];

    // Seen on a server (Redis 7.0) with each class on alone, and what newer servers add: evicted, restore, hexpire and so on, o and c.
    [Theory]
    [InlineData(EventClass.Generic, "del rename_from rename_to move_from move_to copy_to restore expire persist")]
    [InlineData(EventClass.String, "set setrange append incrby incrbyfloat setbit pfadd")]
    [InlineData(EventClass.List, "lpush rpush lpop rpop linsert lset lrem ltrim sortstore")]
    [InlineData(EventClass.Set, "sadd srem spop sinterstore sunionstore sdiffstore")]
    [InlineData(EventClass.Hash, "hset hincrby hincrbyfloat hdel hexpire hpersist")]
    [InlineData(EventClass.SortedSet, "zadd zincr zrem zremrangebyscore zremrangebyrank zremrangebylex zpopmin zpopmax")]
    [InlineData(EventClass.SortedSet, "zunionstore zinterstore zdiffstore zrangestore geosearchstore georadiusstore")]
    [InlineData(EventClass.Stream, "xadd xtrim xdel xsetid")]
    [InlineData(EventClass.Stream, "xgroup-create xgroup-createconsumer xgroup-delconsumer xgroup-destroy xgroup-setid")]
    [InlineData(EventClass.Expired, "expired")]
    [InlineData(EventClass.Evicted, "evicted")]
    [InlineData(EventClass.KeyMiss, "keymiss")]
    [InlineData(EventClass.New, "new")]
    [InlineData(EventClass.Overwritten, "overwritten")]
    [InlineData(EventClass.TypeChanged, "type_changed")]
    public void Each_name_has_its_class(EventClass expected, string names)
    {
        foreach (var name in names.Split(' '))
        {
            Assert.All(AllServers, server => Assert.Equal(expected, server.Of(Encoding.ASCII.GetBytes(name))));
        }
    }

    // Redis 8.0.6: hexpired with h on alone only. Valkey 9.1.2: with x on alone when a field's time is up, with h on alone when HEXPIRE gives it a time in the past.
    [Fact]
    public void A_field_whose_time_is_up_is_the_hashes_at_Redis_and_at_Valkey_as_an_expired_key_too()
    {
        Assert.Equal(EventClass.Hash, EventClassTable.Redis.Of("hexpired"u8));
        Assert.Equal(EventClass.Hash, EventClassTable.RedisWithArrays.Of("hexpired"u8));
        Assert.Equal(EventClass.Hash | EventClass.Expired, EventClassTable.Valkey.Of("hexpired"u8));
    }

    // notifyKeyspaceEvent(NOTIFY_ARRAY, ...) in t_array.c of Redis 8.8.
    [Theory]
    [InlineData("arset armset ardel ardelrange arinsert arring")]
    public void Arrays_are_a_class_since_Redis_8_8_and_a_modules_before(string names)
    {
        foreach (var name in names.Split(' '))
        {
            Assert.Equal(EventClass.Array, EventClassTable.RedisWithArrays.Of(Encoding.ASCII.GetBytes(name)));
            Assert.Equal(EventClass.Module, EventClassTable.Redis.Of(Encoding.ASCII.GetBytes(name)));
            Assert.Equal(EventClass.Module, EventClassTable.Valkey.Of(Encoding.ASCII.GetBytes(name)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("SET")]
    [InlineData("set ")]
    [InlineData("sett")]
    [InlineData("zrembyscore")]
    [InlineData("json.set")]
    [InlineData("ts.add")]
    [InlineData("a_name_of_a_server_to_come_that_is_longer_than_any_that_is_known_today")]
    public void A_name_that_no_server_gives_is_a_modules(string name) =>
        Assert.All(AllServers, server => Assert.Equal(EventClass.Module, server.Of(Encoding.ASCII.GetBytes(name))));

    [Fact]
    public void A_name_with_one_byte_changed_or_cut_off_is_another_name()
    {
        byte[] name = [.. "zremrangebyscore"u8];
        for (var i = 0; i < name.Length; i++)
        {
            byte[] changed = [.. name];
            changed[i] ^= 0x80;
            Assert.Equal(EventClass.Module, EventClassTable.RedisWithArrays.Of(changed));
            Assert.Equal(i == 4 ? EventClass.SortedSet : EventClass.Module, EventClassTable.RedisWithArrays.Of(name.AsSpan(0, i)));
        }
    }

    [Fact]
    public void Looking_up_a_class_allocates_nothing()
    {
        EventClassTable.RedisWithArrays.Of("set"u8);
        var before = GC.GetAllocatedBytesForCurrentThread();
        EventClassTable.RedisWithArrays.Of("xgroup-createconsumer"u8);
        EventClassTable.RedisWithArrays.Of("unknown"u8);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
