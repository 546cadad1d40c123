using System.Text;
using CsCheck;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Spool;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>Does the spool keep whatever it has acknowledged, whatever happens to its files' ends?</summary>
public sealed class LocalSpoolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_was_appended_is_read_in_order_also_after_opening_again()
    {
        using (var spool = new LocalSpool(_folder))
            await spool.AppendAsync(Entries("a", "b", "c"), 0, false);

        using var again = new LocalSpool(_folder);
        Assert.Equal(["a", "b", "c"], await ReadAsync(again));
        await again.RemoveAsync(Entries("a", "b"));
        Assert.Equal(["c"], await ReadAsync(again));
    }

    [Fact]
    public async Task Cutting_the_tail_at_every_byte_leaves_the_whole_records_before_it()
    {
        string[] texts = ["first", "", "third\0\n", "a longer fourth entry"];
        using (var spool = new LocalSpool(_folder))
        {
            foreach (var text in texts)
                await spool.AppendAsync(Entries(text), 0, false);
        }

        var path = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        for (var length = 0; length <= whole.Length; length++)
        {
            await File.WriteAllBytesAsync(path, whole[..length], TestContext.Current.CancellationToken);
            using var spool = new LocalSpool(_folder);
            var expected = texts.TakeWhile((_, i) => texts.Take(i + 1).Sum(t => SpoolRecord.HeaderBytes + t.Length) <= length);
            Assert.Equal(expected, await ReadAsync(spool));
            await spool.AppendAsync(Entries("new"), 0, false);
            Assert.Equal(expected.Append("new"), await ReadAsync(spool));
        }
    }

    [Fact]
    public async Task A_flipped_bit_in_the_last_record_drops_only_that_one()
    {
        using (var spool = new LocalSpool(_folder))
            await spool.AppendAsync(Entries("one", "two"), 0, false);

        var path = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        for (var at = SpoolRecord.HeaderBytes + 3; at < whole.Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x10;
            await File.WriteAllBytesAsync(path, damaged, TestContext.Current.CancellationToken);
            using var spool = new LocalSpool(_folder);
            Assert.Equal(["one"], await ReadAsync(spool));
        }
    }

    [Fact]
    public void Two_programs_cannot_use_one_directory()
    {
        using var first = new LocalSpool(_folder);
        var error = Assert.Throws<IOException>(() => new LocalSpool(_folder));
        Assert.Contains("in use by another program", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Any_order_of_appending_removing_and_opening_again_is_that_of_a_list() => Gen.Int[0, 60].Array[1, 60].SampleAsync(
        async acts =>
        {
            var folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;
            var model = new List<string>();
            var spool = new LocalSpool(folder);
            var next = 0;
            foreach (var act in acts)
            {
                if (act < 30)
                {
                    var texts = Enumerable.Range(0, act % 7).Select(_ => $"entry {next++}").ToArray();
                    model.AddRange(texts);
                    await spool.AppendAsync(Entries(texts), 0, false);
                }
                else if (act < 50)
                {
                    var count = Math.Min(act % 9, model.Count);
                    var result = await spool.RemoveAsync(Entries([.. model.Take(count)]));
                    model.RemoveRange(0, count);
                    Assert.Equal(new RemoveResult(model.Count, true), result);
                }
                else
                {
                    spool.Dispose();
                    spool = new LocalSpool(folder);
                }

                Assert.Equal(model.Skip(2).Take(5), (await spool.ReadAsync(2, default, 5, int.MaxValue)).Entries.Select(TextOf));
            }

            Assert.Equal(model, await ReadAsync(spool));
            spool.Dispose();
            Directory.Delete(folder, recursive: true);
        },
        iter: 100);

    [Fact]
    public async Task Where_the_head_cannot_be_written_what_was_read_is_removed_all_the_same()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a", "b", "c"), 0, false);
        var obstacle = Directory.CreateDirectory(Path.Combine(_folder, "head.new"));

        Assert.Equal(new RemoveResult(1, true), await spool.RemoveAsync(Entries("a", "b")));
        Assert.Equal(["c"], await ReadAsync(spool));
        Assert.Equal(new RemoveResult(0, true), await spool.RemoveAsync(Entries("c")));
        Assert.Empty(Directory.GetFiles(_folder, "*.spool"));
        obstacle.Delete();
    }

    [Fact]
    public async Task What_is_missing_in_a_damaged_file_hides_nothing_of_the_next_and_is_counted()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using (var spool = new LocalSpool(_folder))
        {
            await spool.AppendAsync(Entries("first", "second", large), 0, false);
            await spool.AppendAsync(Entries("third", "fourth"), 0, false);
        }

        var path = Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[SpoolRecord.HeaderBytes + "first".Length + SpoolRecord.HeaderBytes] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);

        using var again = new LocalSpool(_folder);
        Assert.True(again.DamagedBytes > large.Length);
        Assert.Equal(3, again.Count);
        Assert.Equal(["first", "third", "fourth"], await ReadAsync(again));
        Assert.Equal(["fourth"], (await again.ReadAsync(2, default, 5, int.MaxValue)).Entries.Select(TextOf));
        Assert.Equal(new RemoveResult(1, true), await again.RemoveAsync(Entries("first", "third")));
        Assert.Equal(["fourth"], await ReadAsync(again));
    }

    [Fact]
    public async Task Its_size_is_shown()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a", "b"), 0, false);
        Assert.Equal(new SpoolStatus(2, (2 * SpoolRecord.HeaderBytes) + 2), spool.Status);
        await spool.RemoveAsync(Entries("a", "b"));
        Assert.Equal(new SpoolStatus(0, 0), spool.Status);
    }

    private static async Task<IEnumerable<string>> ReadAsync(LocalSpool spool) => (await spool.ReadAsync(0, default, int.MaxValue, int.MaxValue)).Entries.Select(TextOf);

    private static string TextOf(ReadOnlyMemory<byte> entry) => Encoding.UTF8.GetString(entry.Span);

    private static ReadOnlyMemory<byte>[] Entries(params string[] texts) => [.. texts.Select(t => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(t)))];
}
