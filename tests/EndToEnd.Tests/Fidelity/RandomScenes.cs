// Which small scenes is a random session made of?
using System.Globalization;
using System.Text;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

/// <summary>
/// Each scene leaves its connection outside MULTI and with replies on. Nothing in them depends on the clock, on Redis' random numbers, or on the order of
/// a hash table, which differs between two servers: small hashes and sets of integers only, one pattern per channel, no TTL.
/// </summary>
internal sealed class RandomScenes(Random random)
{
    private static readonly int[] Borders = [0, 1, 16, 512, 4096, 16 * 1024, 32 * 1024, 64 * 1024];

    /// <summary>Commands of the scene, as requests in one or the other form.</summary>
    public byte[] Next() => random.Next(26) switch
    {
        0 or 1 or 2 => Strings(),
        3 or 4 => Lists(),
        5 => Hashes(),
        6 => SortedSets(),
        7 => Streams(),
        8 => Integers(),
        9 or 10 => Scripts(),
        11 or 12 => Transaction(),
        13 => Send(Of("WATCH", Key()), Of("GET", Key()), Of("UNWATCH")),
        14 => Send(Of("WATCH", Key())), // ends with the next EXEC, which fails if another has written
        15 or 16 => PubSub(),
        17 => Replies(),
        18 => Tracking(),
        19 => Hello(),
        20 => Send(Of("SELECT", Pick("0", "1", "2", "99", "x"))),
        21 => Send(Of(Pick("BLPOP", "BRPOP", "BZPOPMIN"), "nothing:" + random.Next(3), "0.02"), Of("PING")),
        22 => Errors(),
        23 => Inline(),
        24 => Pick(0, 1, 2) == 0 ? Send(Of("RESET")) : Send(Of("CLIENT", Pick("GETNAME", "NO-EVICT", "UNPAUSE", "TRACKINGINFO", "GETREDIR", "NOSUCH"), "x")),
        _ => Send(Of("ECHO", "client-id-next"), Of("CLIENT", "ID"), Of("CLIENT", "SETNAME", "n" + random.Next(9)), Of("CLIENT", "GETNAME"), Of("MODULE", "LIST"), Of("DBSIZE")),
    };

    public byte[] Inline()
        => Latin(Pick("PING\r\n", "PING\n", "   PING   \r\n", "\r\n", "*0\r\n", "*-1\r\n", "ECHO \"a\\x00b \\\"q\\\"\"\r\n", "ECHO 'it\\'s'\n", $"SET {Key()} {new string('i', random.Next(2000))}\r\n", $"GET {Key()}\r\n"));

    public string Value()
    {
        var near = Borders[random.Next(random.Next(4) == 0 ? Borders.Length : 4)];
        var length = Math.Max(0, near + random.Next(-40, 8));
        var filler = (char)random.Next(256);
        return length < 4 ? new string(filler, length) : Pick("\r\n", "*1\r\n", "$5\r\n", "\0\xff") + new string(filler, length - 4);
    }

    public string Key() => "k" + random.Next(6);

    private byte[] Strings()
        => random.Next(8) switch
        {
            0 or 1 => Send(Of("SET", Key(), Value()), Of("GET", Key())),
            2 => Send(Of("APPEND", Key(), Value()), Of("STRLEN", Key()), Of("GETRANGE", Key(), Number(-50, 50), Number(-50, 20_000))),
            3 => Send(Of("MSET", Key(), Value(), Key(), Value()), Of("MGET", Key(), Key(), "none")),
            4 => Send(Of("SETRANGE", Key(), Number(0, 5000), "xyz"), Of("GETDEL", Key()), Of("GETSET", Key(), "gs")),
            5 => Send(Of("SET", Key(), "v", "NX", "GET"), Of("SETEX", Key(), "1000", Value()), Of("PERSIST", Key()), Of("EXISTS", Key(), Key())),
            6 => Send(Of("DEL", Key(), Key()), Of("TYPE", Key()), Of("RENAME", Key(), Key()), Of("COPY", Key(), Key(), "REPLACE"), Of("UNLINK", Key())),
            _ => Send(Of("SETBIT", "bits", Number(0, 900), "1"), Of("BITCOUNT", "bits"), Of("GET", "bits"), Of("PFADD", "hll", Value()), Of("PFCOUNT", "hll")),
        };

    private byte[] Lists()
        => Send(Of(Pick("RPUSH", "LPUSH"), List(), Value(), Number(0, 9)), Of("LRANGE", List(), "0", Number(-3, 20)), Of(Pick("LPOP", "RPOP"), List()), Of("LMOVE", List(), List(), "LEFT", "RIGHT"),
            Of("LLEN", List()), Of("LTRIM", List(), "0", "8"), Of("LPOS", List(), Number(0, 9)), Of("BLMOVE", List(), List(), "RIGHT", "LEFT", "0.01"), Of("LINDEX", List(), Number(-4, 4)));

    private byte[] Hashes()
        => Send(Of("HSET", "hs", "f" + Number(0, 5), Number(0, 99)), Of("HGETALL", "hs"), Of("HINCRBYFLOAT", "hs", "f1", "0.5"), Of("HSET", "hb", "f" + Number(0, 5), Value()), Of("HGET", "hb", "f" + Number(0, 5)),
            Of("HMGET", "hs", "f1", "none"), Of("HDEL", "hs", "f" + Number(0, 5)), Of("HLEN", "hb"), Of("HRANDFIELD", "none", "3"));

    private byte[] SortedSets()
        => Send(Of("ZADD", "z", Number(-9, 9), "m" + Number(0, 9), "1.5", Number(0, 9)), Of("ZRANGE", "z", "0", "-1", "WITHSCORES"), Of("ZSCORE", "z", "m1"), Of("ZINCRBY", "z", "0.1", "m2"), Of("ZPOPMIN", "z"),
            Of("ZRANGEBYSCORE", "z", "(0", "+inf", "LIMIT", "0", "3"), Of("ZRANK", "z", "m3"), Of("GEOADD", "geo", "13.36", "38.11", "P"), Of("GEOPOS", "geo", "P", "none"));

    private byte[] Streams()
        => Send(Of("XADD", "s", "1-" + Number(1, 200), "f", Value()), Of("XRANGE", "s", "-", "+", "COUNT", "3"), Of("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"), Of("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">"),
            Of("XREAD", "BLOCK", "10", "STREAMS", "s", "9-9"), Of("XACK", "s", "g", "1-" + Number(1, 200)), Of("XLEN", "s"), Of("XTRIM", "s", "MAXLEN", "20"));

    private byte[] Integers() => Send(Of("INCR", "n"), Of("INCRBYFLOAT", "fl", "1.25"), Of("SADD", "ints", Number(0, 50), Number(0, 50)), Of("SMEMBERS", "ints"), Of("SISMEMBER", "ints", "7"), Of("SORT", "ints", "DESC"));

    private byte[] Scripts() => random.Next(6) switch
    {
        0 => Send(Of("EVAL", "return {1,'two',{3,redis.call('get',KEYS[1])},false,{}}", "1", Key())),
        1 => Send(Of("EVAL", "redis.setresp(3) return {redis.call('hgetall','hs'), {double=1.5}, true}", "0"), Of("EVAL", "return redis.error_reply('MY own')", "0")),
        2 => Send(Of("EVAL", "return redis.call('nosuch')", "0"), Of("EVAL", "return redis.pcall('lpush','n','x')", "0"), Of("EVAL", "syntax error here", "0")),
        3 => Send(Of("SCRIPT", "LOAD", "return 1"), Of("EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"), Of("EVALSHA", "ffffffffffffffffffffffffffffffffffffffff", "0")),
        4 => Send(Of("EVAL", "return string.rep('x', ARGV[1])", "0", Number(1, 70_000))),
        _ => Send(Of("EVAL", "for i=1,20 do redis.call('set','k'..(i%6),ARGV[1]) end return redis.call('publish','p.0',ARGV[1])", "0", Number(0, 9))),
    };

    private byte[] Transaction()
    {
        var body = Enumerable.Range(0, random.Next(5)).Select(_ => Pick(Of("SET", Key(), Value()), Of("GET", Key()), Of("INCR", Key()), Of("NOSUCH"), Of("MULTI"), Of("PUBLISH", "p.1", "x"), Of("BLPOP", "nothing:0", "0"), Of("WATCH", "x")));
        return Send([Of("MULTI"), .. body, Of(Pick("EXEC", "EXEC", "EXEC", "DISCARD", "RESET")), Of("EXEC")]);
    }

    private byte[] PubSub() => random.Next(7) switch
    {
        0 or 1 => Send(Of("PUBLISH", "p." + Number(0, 3), Value()), Of("SPUBLISH", "sh", "x"), Of("PUBLISH", "q", "y")),
        2 => Send(Of("SUBSCRIBE", "q", "r"), Of("GET", Key()), Of("PING")),
        3 => Send(Of("PSUBSCRIBE", "p.*"), Of("PING", "in"), Of("PUBLISH", "p.0", "own")),
        4 => Send(Of("PSUBSCRIBE", "__keyevent@*__:none", "p.*"), Of("SUBSCRIBE", "__keyspace@0__:none"), Of("PING", "in")), // in a cluster perhaps merged; there is no such event
        5 => Send(Of("UNSUBSCRIBE", "__keyspace@0__:none"), Of("PUNSUBSCRIBE", "__keyevent@*__:none"), Of("GET", Key())),
        _ => Send(Of("SSUBSCRIBE", "sh"), Of("UNSUBSCRIBE", "q"), Of("UNSUBSCRIBE", "r"), Of("PUNSUBSCRIBE", "p.*"), Of("SUNSUBSCRIBE", "sh"), Of("UNSUBSCRIBE", "q"), Of("PUBSUB", "NUMSUB", "q")),
    };

    /// <summary>In RESP2 subscribed mode CLIENT REPLY is refused, so replies stay on there too.</summary>
    private byte[] Replies()
        => random.Next(2) == 0
            ? Send(Of("CLIENT", "REPLY", "SKIP"), Of("SET", Key(), Value()), Of("GET", Key()), Of("CLIENT", "REPLY", "ON"))
            : Send(Of("CLIENT", "REPLY", "OFF"), Of("GET", Key()), Of("NOSUCH"), Of("SET", Key(), Value()), Of("CLIENT", "REPLY", "ON"));

    private byte[] Tracking()
        => random.Next(3) == 0
            ? Send(Of("CLIENT", "TRACKING", "OFF"))
            : Send(Of("CLIENT", "TRACKING", "ON", Pick("NOLOOP", "OPTIN", "")), Of("CLIENT", "CACHING", "YES"), Of("GET", Key()), Of("SET", Key(), "t"), Of("MGET", Key(), Key()));

    private byte[] Hello() => Send(Of("HELLO", Pick("2", "3", "3", "3", "4", "x")), Of("HGETALL", "hs"), Of("ZRANGE", "z", "0", "-1", "WITHSCORES"), Of("GET", "none"));

    private byte[] Errors() => random.Next(4) switch
    {
        0 => Send(Of("GET"), Of("SET", "a"), Of("NOSUCH", Value()), Of("INCR", "hs"), Of("LPUSH", "z", "x")),
        1 => Send(Of("AUTH", "x"), Of("AUTH", "x", "y"), Of("OBJECT", "HELP"), Of("CONFIG", "GET"), Of("DEBUG")),
        2 => Send(Of("key_evt_amqp"), Of("key_evt_amqpx.info"), Of("", ""), Of("KEY_EVT_AMQ.", "x"), Of("module", "nosuch", "x")),
        _ => Send(Of("EXEC"), Of("DISCARD"), Of("COMMAND", "COUNT", "x"), Of("COMMAND", "INFO", "get", "nosuch"), Of("LOLWUT", "VERSION", "x")),
    };

    private static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);

    private static string[] Of(params string[] arguments) => arguments is [.., ""] && arguments[0] == "CLIENT" ? arguments[..^1] : arguments;

    private static byte[] Send(params string[][] commands) => [.. commands.SelectMany(RespClient.Command)];

    private string List() => "l" + random.Next(3);

    private string Number(int from, int to) => random.Next(from, to).ToString(CultureInfo.InvariantCulture);

    private T Pick<T>(params T[] choices) => choices[random.Next(choices.Length)];
}
