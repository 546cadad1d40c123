// Is it all the same to a run whether it was offered the bytes first to be passed on whole, and how they were cut?
using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Session;
using KeyEvt.Resp;
using Xunit;

namespace KeyEvt.Proxy.Tests.Session;

public sealed class RequestRunTests
{
    private static readonly string[] Ordinary =
    [
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "*1\r\n$4\r\nPING\r\n", "PING\r\n", "SET a \"b c\"\r\n", "SET \"a\"b \"c\r\n", "CLIENT ID\r\n", "\r\n", "*0\r\n", "*-7\r\n",
        "*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n", "*2\r\n$12\r\nkey_evt_amqs\r\n$1\r\nx\r\n", $"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300\r\n{new string('v', 300)}\r\n",
    ];

    private static readonly string[] Candidates =
    [
        "*1\r\n$17\r\nkey_evt_amqp.info\r\n", "key_evt_amqp.help\r\n", "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n", "*3\r\n$6\r\nmodule\r\n$4\r\nLOAD\r\n$1\r\nx\r\n",
        $"*2\r\n$23\r\nkey_evt_amqp.rule_clean\r\n$200\r\n{new string('y', 200)}\r\n",
    ];

    private static readonly string[] Ends = ["", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9\r\nun", "*2\r\n$3\r\nGET\r\nk\r\n", "*x\r\n", "POST / HTTP/1.1\r\nHost: x\r\n", "module \"a\r\n", "\"key_evt\"_amqp.x y\n", "*1\r\n$17\r\nkey_evt_amqp.in", "*2\r\n$3\r\nGET\r\n$-3\r\n"];

    [Fact]
    public async Task What_is_offered_whole_first_ends_up_as_what_is_only_copied()
    {
        var passed = 0;
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var text = new StringBuilder();
            for (var left = random.Next(1, 8); left > 0; left--)
            {
                var from = random.Next(4) == 0 ? Candidates : Ordinary;
                text.Append(from[random.Next(from.Length)]);
            }

            var end = random.Next(3) == 0 ? Ends[random.Next(Ends.Length)] : "";
            var bytes = Encoding.Latin1.GetBytes(text.Append(end).ToString());
            var longest = random.Next(1, 120);
            var pieces = Cut(bytes, longest, random);
            var copied = await RunAsync(pieces, isOffered: false);
            var offered = await RunAsync(pieces, isOffered: true);
            Assert.Equal(copied.Log, offered.Log);
            if (end == "")
            {
                Assert.Equal((await RunAsync([bytes], isOffered: false)).Log, copied.Log); // of a bad request more or less may have gone on before it was found bad
            }

            passed += offered.Passed;
        }

        Assert.True(passed > 1000, "hardly anything was passed whole");
    }

    private static List<byte[]> Cut(byte[] bytes, int longest, Random random)
    {
        var pieces = new List<byte[]>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(random.Next(1, longest + 1), bytes.Length - at);
            pieces.Add(bytes[at..(at + length)]);
            at += length;
        }

        return pieces;
    }

    private static async Task<bool> IsEmptyAsync(PipeReader reader)
    {
        reader.CancelPendingRead();
        var read = await reader.ReadAsync();
        reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        return read.Buffer.IsEmpty;
    }

    /// <summary>As the request pump does it: every second candidate is taken out, the others are passed.</summary>
    private static async Task<(string Log, int Passed)> RunAsync(IEnumerable<byte[]> pieces, bool isOffered)
    {
        var client = new Pipe();
        var upstream = new Pipe();
        var run = new RequestRun(new RespLimits(), new CandidateFilter(isNodePort: false), upstream.Writer);
        var log = new StringBuilder();
        var candidates = 0;
        var passed = 0;
        var isEmpty = true;
        var stop = RunStop.NeedMore;
        foreach (var piece in pieces)
        {
            if (isOffered && isEmpty && run.MayPass(piece))
            {
                upstream.Writer.Write(piece);
                passed++;
                continue;
            }

            await client.Writer.WriteAsync(piece);
            var read = await client.Reader.ReadAsync();
            while ((stop = run.Copy(read.Buffer)) == RunStop.Candidate)
            {
                if (candidates++ % 2 == 1)
                {
                    run.PassCandidate();
                    continue;
                }

                run.TakeCandidate(read.Buffer);
                await LogForwardedAsync();
                log.Append('<').Append(string.Join(' ', Enumerable.Range(0, run.Candidate!.Count).Select(n => Encoding.Latin1.GetString(run.Candidate[n].Span)))).Append('>');
            }

            run.Advance(client.Reader, read.Buffer);
            isEmpty = await IsEmptyAsync(client.Reader);
            if (stop != RunStop.NeedMore) break;
        }

        await LogForwardedAsync();
        return ($"{log} {stop} {run.Fault?.Message} {run.Fault?.Offset}", passed);

        async Task LogForwardedAsync()
        {
            await upstream.Writer.FlushAsync();
            if (!upstream.Reader.TryRead(out var forwarded)) return;
            log.Append(Encoding.Latin1.GetString(forwarded.Buffer));
            upstream.Reader.AdvanceTo(forwarded.Buffer.End);
        }
    }
}
