using System.Text;
using CsCheck;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Tests.Feed;
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
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("a", "b", "c"), 0, false);

        using var again = new LocalSpool(_folder);
        Assert.Equal(["a", "b", "c"], await ReadAsync(again));
        await again.RemoveAsync(Entries("a", "b"), null);
        Assert.Equal(["c"], await ReadAsync(again));
    }

    [Fact]
    public async Task Cutting_the_tail_at_every_byte_leaves_the_whole_records_before_it()
    {
        string[] texts = ["first", "", "third\0\n", "a longer fourth entry"];
        using (var spool = new LocalSpool(_folder))
        {
            foreach (var text in texts) await spool.AppendAsync(Entries(text), 0, false);
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
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("one", "two"), 0, false);

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
                    var result = await spool.RemoveAsync(Entries([.. model.Take(count)]), null);
                    model.RemoveRange(0, count);
                    Assert.Equal(new RemoveResult(model.Count, true), result);
                }
                else
                {
                    spool.Dispose();
                    spool = new LocalSpool(folder);
                }

                Assert.Equal(model.Skip(2).Take(5), (await spool.ReadAsync(2, null, 5, int.MaxValue)).Entries.Select(TextOf));
            }

            Assert.Equal(model, await ReadAsync(spool));
            spool.Dispose();
            Directory.Delete(folder, recursive: true);
        },
        iter: 100);

    [Fact]
    public async Task Where_the_head_cannot_be_written_what_was_read_is_removed_all_the_same()
    {
        var log = new RecordingLogger();
        using var spool = new LocalSpool(_folder, log);
        await spool.AppendAsync(Entries("a", "b", "c"), 0, false);
        var obstacle = Directory.CreateDirectory(Path.Combine(_folder, "head.new"));

        Assert.Equal(new RemoveResult(1, true), await spool.RemoveAsync(Entries("a", "b"), null));
        Assert.Equal(["c"], await ReadAsync(spool));
        Assert.Equal(new RemoveResult(0, true), await spool.RemoveAsync(Entries("c"), null));
        Assert.Empty(Directory.GetFiles(_folder, "*.spool"));
        Assert.Single(log.Lines); // not once more for the second time
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
        Assert.Equal(["fourth"], (await again.ReadAsync(2, null, 5, int.MaxValue)).Entries.Select(TextOf));
        Assert.Equal(new RemoveResult(1, true), await again.RemoveAsync(Entries("first", "third"), null));
        Assert.Equal(["fourth"], await ReadAsync(again));
    }

    [Fact]
    public async Task Its_size_is_shown()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a", "b"), 0, false);
        Assert.Equal(new SpoolStatus(2, (2 * SpoolRecord.HeaderBytes) + 2), spool.Status);
        await spool.RemoveAsync(Entries("a", "b"), null);
        Assert.Equal(new SpoolStatus(0, 0), spool.Status);
    }

    [Fact]
    public async Task An_entry_that_is_damaged_while_the_program_runs_stands_in_nobodys_way()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", "second", large), 0, false);
        await spool.AppendAsync(Entries("third"), 0, false);
        using (var file = new FileStream(Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).First(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            file.Seek(SpoolRecord.HeaderBytes + "first".Length + SpoolRecord.HeaderBytes, SeekOrigin.Begin);
            file.WriteByte(0);
        }

        Assert.Equal(["first", "third"], await ReadAsync(spool));
        Assert.Equal(2, spool.Count);
        Assert.Equal((2 * SpoolRecord.HeaderBytes) + "second".Length + large.Length, spool.DamagedBytes);
        Assert.Equal(new RemoveResult(0, true), await spool.RemoveAsync(Entries("first", "third"), null));
    }

    [Fact]
    public async Task What_follows_an_entry_is_found_where_the_file_in_front_of_it_has_become_damaged()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", large), 0, false);
        await spool.AppendAsync(Entries("third", "fourth"), 0, false);
        using (var file = new FileStream(Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).First(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            file.WriteByte(0);
        }

        var third = Entries("third")[0];
        var read = await spool.ReadAsync(1, new StoreEnds(third, third), 5, int.MaxValue);
        Assert.False(read.IsOther);
        Assert.Equal(["fourth"], read.Entries.Select(TextOf));
    }

    [Fact]
    public async Task What_becomes_damaged_piece_by_piece_is_summed_up_in_any_file()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", large), 0, false);
        await spool.AppendAsync(Entries("third", "fourth", "fifth"), 0, false);
        var second = Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).Last();

        await DamageAsync((3 * SpoolRecord.HeaderBytes) + "thirdfourth".Length, second);
        Assert.Equal(["first", large, "third", "fourth"], await ReadAsync(spool));
        await DamageAsync((2 * SpoolRecord.HeaderBytes) + "third".Length, second);
        Assert.Equal(["first", large, "third"], await ReadAsync(spool));
        Assert.Equal((2 * SpoolRecord.HeaderBytes) + "fourthfifth".Length, spool.DamagedBytes);
        Assert.Equal(SpoolRecord.HeaderBytes + "third".Length, new FileInfo(second).Length);
    }

    [Fact]
    public async Task A_file_of_16_MiB_is_full_and_a_smaller_one_is_not()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries(new string('x', (16 * 1024 * 1024) - 1 - SpoolRecord.HeaderBytes)), 0, false);
        await spool.AppendAsync(Entries("second"), 0, false);
        Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        await spool.RemoveAsync((await spool.ReadAsync(0, null, 2, int.MaxValue)).Entries, null);

        await spool.AppendAsync(Entries(new string('x', (16 * 1024 * 1024) - SpoolRecord.HeaderBytes)), 0, false);
        await spool.AppendAsync(Entries("second"), 0, false);
        Assert.Equal(2, Directory.GetFiles(_folder, "*.spool").Length);
    }

    [Fact]
    public void Of_a_long_entry_256_bytes_are_compared_and_of_a_short_one_all()
    {
        Assert.Equal(256, StoreSteps.HeadOf(new byte[257]).Length);
        Assert.Equal(255, StoreSteps.HeadOf(new byte[255]).Length);
    }

    [Fact]
    public void A_length_beyond_the_longest_entry_is_none()
    {
        Assert.Equal(SpoolRecord.MaxPayload, SpoolRecord.LengthIn(BitConverter.GetBytes(SpoolRecord.MaxPayload)));
        Assert.Equal(-1, SpoolRecord.LengthIn(BitConverter.GetBytes(SpoolRecord.MaxPayload + 1)));
    }

    [Fact]
    public void A_link_in_the_place_of_a_file_is_refused_and_not_kept_open()
    {
        var file = Path.Combine(_folder, "elsewhere");
        File.WriteAllText(file, "");
        var link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, file);
        Assert.Contains("no regular file", Assert.Throws<IOException>(() => SpoolSegment.Open(link, 0)).Message, StringComparison.Ordinal);
        Assert.False(IsOpen(file));
    }

    [Fact]
    public async Task A_file_of_which_nothing_is_whole_any_more_counts_as_empty()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", "second"), 0, false);
        await DamageAsync(SpoolRecord.HeaderBytes);
        var read = await spool.ReadAsync(0, null, 5, int.MaxValue);
        Assert.Equal((0L, 0), (read.Length, read.Entries.Count));
        Assert.Equal(0, spool.Count);
    }

    [Fact]
    public async Task What_is_damaged_is_cut_off_the_file_and_told_once()
    {
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("first", "second", "third"), 0, false);

        await DamageAsync(SpoolRecord.HeaderBytes + "first".Length + SpoolRecord.HeaderBytes);
        using (var spool = new LocalSpool(_folder))
        {
            Assert.Equal((2 * SpoolRecord.HeaderBytes) + "second".Length + "third".Length, spool.DamagedBytes);
        }

        using var again = new LocalSpool(_folder);
        Assert.Equal(0, again.DamagedBytes);
        Assert.Equal(["first"], await ReadAsync(again));
    }

    [Fact]
    public async Task A_file_that_has_been_read_is_closed_so_that_its_disk_space_is_free()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a"), 0, false);
        var path = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        Assert.True(IsOpen(path));
        await spool.RemoveAsync(Entries("a"), null);
        Assert.False(File.Exists(path));
        Assert.False(IsOpen(path));
    }

    [Fact]
    public async Task The_longest_entry_that_redis_allows_is_whole_after_a_restart_and_never_in_memory_as_a_whole_file()
    {
        const int Length = (512 * 1024 * 1024) + 1000; // a key of 512 MB, and what belongs to an event; zeros, which the disk need not hold
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("first"), 0, false);

        var checksum = SpoolRecord.BeginChecksum(Length);
        var zeros = new byte[1000];
        for (var at = 0; at < Length; at += zeros.Length)
        {
            checksum = SpoolRecord.AddToChecksum(checksum, zeros.AsSpan(0, Math.Min(zeros.Length, Length - at)));
        }

        await using (var file = new FileStream(Assert.Single(Directory.GetFiles(_folder, "*.spool")), FileMode.Append))
        {
            await file.WriteAsync(BitConverter.GetBytes(Length), TestContext.Current.CancellationToken);
            await file.WriteAsync(BitConverter.GetBytes(SpoolRecord.EndChecksum(checksum)), TestContext.Current.CancellationToken);
            file.SetLength(file.Length + Length);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        using var again = new LocalSpool(_folder);
        Assert.Equal((2L, 0L), (again.Count, again.DamagedBytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * 1024 * 1024);
        await again.AppendAsync(Entries("next"), 0, false);
        Assert.Equal(["next"], (await again.ReadAsync(2, null, 5, int.MaxValue)).Entries.Select(TextOf));
    }

    /// <summary>Changes one byte of a file.</summary>
    /// <param name="path">Null: the only one.</param>
    private async Task DamageAsync(long at, string? path = null)
    {
        await using var file = new FileStream(path ?? Assert.Single(Directory.GetFiles(_folder, "*.spool")), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(at, SeekOrigin.Begin);
        file.WriteByte(0);
    }

    /// <summary>Whether this program has the file open, removed or not. Linux shows the path of each open file, and then whether it was removed.</summary>
    private static bool IsOpen(string path) =>
        Directory.GetFiles("/proc/self/fd").Select(open => new FileInfo(open).LinkTarget).Any(target => target?.StartsWith(path, StringComparison.Ordinal) == true);

    private static async Task<IEnumerable<string>> ReadAsync(LocalSpool spool) => (await spool.ReadAsync(0, null, int.MaxValue, int.MaxValue)).Entries.Select(TextOf);

    private static string TextOf(ReadOnlyMemory<byte> entry) => Encoding.UTF8.GetString(entry.Span);

    private static ReadOnlyMemory<byte>[] Entries(params string[] texts) => [.. texts.Select(t => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(t)))];
}
