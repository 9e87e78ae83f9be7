import CoveyKEM
import Testing
