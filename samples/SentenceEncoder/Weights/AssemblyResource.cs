using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace SentenceEncoder.Weights;

/// <summary>Reads resources out of an assembly file, without loading the assembly.</summary>
internal static class AssemblyResource
{
    /// <summary>Where the bytes of a resource lie in the file.</summary>
    /// <exception cref="InvalidDataException">The file is no assembly, or has no such resource.</exception>
    public static (long Offset, int Length) Find(Stream assembly, string name)
    {
        try
        {
            assembly.Position = 0; // where the reader takes the file to begin
            using var file = new PEReader(assembly, PEStreamOptions.LeaveOpen);
            if (!file.HasMetadata) throw new InvalidDataException("It is not an assembly of .NET.");
            var metadata = file.GetMetadataReader();
            var headers = file.PEHeaders;
            foreach (var handle in metadata.ManifestResources)
            {
                var resource = metadata.GetManifestResource(handle);
                if (!resource.Implementation.IsNil || !metadata.StringComparer.Equals(resource.Name, name)) continue;
                if (!headers.TryGetDirectoryOffset(headers.CorHeader!.ResourcesDirectory, out int start)) break;

                // A resource is its length, then its bytes.
                long place = start + resource.Offset;
                assembly.Position = place;
                using var reader = new BinaryReader(assembly, System.Text.Encoding.UTF8, leaveOpen: true);
                int length = reader.ReadInt32();
                place += sizeof(int);
                if (length < 0 || length > assembly.Length - place) break;
                return (place, length);
            }
            throw new InvalidDataException($"It has no resource {name}.");
        }
        catch (Exception e) when (e is BadImageFormatException or EndOfStreamException)
        {
            throw new InvalidDataException("It is damaged.", e);
        }
    }

    /// <summary>The bytes of a resource.</summary>
    /// <exception cref="InvalidDataException">The file is no assembly, or has no such resource.</exception>
    public static byte[] Read(Stream assembly, string name)
    {
        var (offset, length) = Find(assembly, name);
        byte[] bytes = new byte[length];
        assembly.Position = offset;
        assembly.ReadExactly(bytes);
        return bytes;
    }
}
